-- Rows written are the bill. Tables with a key of their own have no rowid besides (drizzle cannot say
-- so, hence by hand); a run keeps its first entries in its row; only pending approvals are indexed.
CREATE TABLE `events_new` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`event_id` text NOT NULL,
	`source` text NOT NULL,
	`type` text NOT NULL,
	`time` text NOT NULL,
	`subject` text,
	`data` text NOT NULL,
	`correlation_id` text NOT NULL,
	`request_id` text NOT NULL,
	`received_at` text NOT NULL,
	`runs` text NOT NULL,
	`matches` text NOT NULL, `extensions` text DEFAULT '{}' NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `events_new` (`tenant_id`, `id`, `event_id`, `source`, `type`, `time`, `subject`, `data`, `correlation_id`, `request_id`, `received_at`, `runs`, `matches`, `extensions`) SELECT `tenant_id`, `id`, `event_id`, `source`, `type`, `time`, `subject`, `data`, `correlation_id`, `request_id`, `received_at`, `runs`, `matches`, `extensions` FROM `events`;
--> statement-breakpoint
DROP TABLE `events`;
--> statement-breakpoint
ALTER TABLE `events_new` RENAME TO `events`;
--> statement-breakpoint
CREATE INDEX `events_by_type` ON `events` (`tenant_id`,`type`,`id`);
--> statement-breakpoint
CREATE INDEX `events_by_source` ON `events` (`tenant_id`,`source`,`id`);
--> statement-breakpoint
CREATE INDEX `events_by_correlation` ON `events` (`tenant_id`,`correlation_id`,`id`);
--> statement-breakpoint
CREATE TABLE `runs_new` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`seq` integer NOT NULL,
	`workflow_id` text NOT NULL,
	`workflow_name` text NOT NULL,
	`workflow_version` integer NOT NULL,
	`event_id` text NOT NULL,
	`event_type` text NOT NULL,
	`status` text NOT NULL,
	`request_id` text NOT NULL,
	`correlation_id` text NOT NULL,
	`created_at` text NOT NULL,
	`finished_at` text,
	`error` text,
	`wake_at` text,
	`entries` text,
	PRIMARY KEY(`tenant_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `runs_new` (`tenant_id`, `id`, `seq`, `workflow_id`, `workflow_name`, `workflow_version`, `event_id`, `event_type`, `status`, `request_id`, `correlation_id`, `created_at`, `finished_at`, `error`, `wake_at`) SELECT `tenant_id`, `id`, `seq`, `workflow_id`, `workflow_name`, `workflow_version`, `event_id`, `event_type`, `status`, `request_id`, `correlation_id`, `created_at`, `finished_at`, `error`, `wake_at` FROM `runs`;
--> statement-breakpoint
DROP TABLE `runs`;
--> statement-breakpoint
ALTER TABLE `runs_new` RENAME TO `runs`;
--> statement-breakpoint
CREATE INDEX `runs_by_status` ON `runs` (`tenant_id`,`status`,`id`);
--> statement-breakpoint
CREATE INDEX `runs_by_workflow` ON `runs` (`tenant_id`,`workflow_id`,`id`);
--> statement-breakpoint
CREATE INDEX `runs_by_event_type` ON `runs` (`tenant_id`,`event_type`,`id`);
--> statement-breakpoint
CREATE INDEX `runs_by_wake` ON `runs` (`wake_at`) WHERE "runs"."wake_at" is not null;
--> statement-breakpoint
-- As with run_entries: what a run began with is written once, and may only be erased.
CREATE TRIGGER runs_refuse_update BEFORE UPDATE OF entries ON runs
WHEN OLD.entries IS NOT NULL AND NEW.entries IS NOT OLD.entries AND (
  NEW.entries IS NULL OR json_array_length(NEW.entries) <> json_array_length(OLD.entries)
  OR EXISTS (SELECT 1 FROM json_each(OLD.entries) AS o WHERE NOT EXISTS (
    SELECT 1 FROM json_each(NEW.entries) AS n WHERE n.key = o.key
      AND n.value->>'seq' IS o.value->>'seq' AND n.value->>'at' IS o.value->>'at'
      AND n.value->>'type' IS o.value->>'type' AND n.value->>'stepId' IS o.value->>'stepId'))
  OR EXISTS (SELECT 1 FROM json_tree(NEW.entries) AS n
    WHERE n.atom IS NOT NULL AND n.atom IS NOT '[erased]' AND NOT EXISTS (
      SELECT 1 FROM json_tree(OLD.entries) AS o
      WHERE o.fullkey = n.fullkey AND o.type = n.type AND o.atom IS n.atom)))
BEGIN SELECT RAISE(ABORT, 'the entries of a run are append-only'); END;
--> statement-breakpoint
CREATE TABLE `run_entries_new` (
	`tenant_id` text NOT NULL,
	`run_id` text NOT NULL,
	`first_seq` integer NOT NULL,
	`entries` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `run_id`, `first_seq`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `run_entries_new` (`tenant_id`, `run_id`, `first_seq`, `entries`) SELECT `tenant_id`, `run_id`, `first_seq`, `entries` FROM `run_entries`;
--> statement-breakpoint
DROP TABLE `run_entries`;
--> statement-breakpoint
ALTER TABLE `run_entries_new` RENAME TO `run_entries`;
--> statement-breakpoint
CREATE TRIGGER run_entries_refuse_delete BEFORE DELETE ON run_entries
BEGIN SELECT RAISE(ABORT, 'run_entries is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER run_entries_ignore_repeat BEFORE INSERT ON run_entries
WHEN EXISTS (SELECT 1 FROM run_entries WHERE tenant_id = NEW.tenant_id AND run_id = NEW.run_id
  AND first_seq = NEW.first_seq)
BEGIN SELECT RAISE(IGNORE); END;
--> statement-breakpoint
CREATE TRIGGER run_entries_refuse_update BEFORE UPDATE ON run_entries
WHEN NEW.tenant_id <> OLD.tenant_id OR NEW.run_id <> OLD.run_id OR NEW.first_seq <> OLD.first_seq
  OR json_array_length(NEW.entries) <> json_array_length(OLD.entries)
  OR EXISTS (SELECT 1 FROM json_each(OLD.entries) AS o WHERE NOT EXISTS (
    SELECT 1 FROM json_each(NEW.entries) AS n WHERE n.key = o.key
      AND n.value->>'seq' IS o.value->>'seq' AND n.value->>'at' IS o.value->>'at'
      AND n.value->>'type' IS o.value->>'type' AND n.value->>'stepId' IS o.value->>'stepId'))
  OR EXISTS (SELECT 1 FROM json_tree(NEW.entries) AS n
    WHERE n.atom IS NOT NULL AND n.atom IS NOT '[erased]' AND NOT EXISTS (
      SELECT 1 FROM json_tree(OLD.entries) AS o
      WHERE o.fullkey = n.fullkey AND o.type = n.type AND o.atom IS n.atom))
BEGIN SELECT RAISE(ABORT, 'run_entries is append-only'); END;
--> statement-breakpoint
CREATE TABLE `approvals_new` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`seq` integer NOT NULL,
	`status` text NOT NULL,
	`expires_at` text NOT NULL,
	`item` text NOT NULL,
	`barred` text NOT NULL,
	`among` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `approvals_new` (`tenant_id`, `id`, `seq`, `status`, `expires_at`, `item`, `barred`, `among`) SELECT `tenant_id`, `id`, `seq`, `status`, `expires_at`, `item`, `barred`, `among` FROM `approvals`;
--> statement-breakpoint
DROP TABLE `approvals`;
--> statement-breakpoint
ALTER TABLE `approvals_new` RENAME TO `approvals`;
--> statement-breakpoint
CREATE INDEX `approvals_pending` ON `approvals` (`tenant_id`,`expires_at`,`id`) WHERE status = 'pending';
--> statement-breakpoint
CREATE TABLE `orders_new` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text,
	`status` text NOT NULL,
	`total_amount` integer,
	`currency` text,
	`refunded_amount` integer DEFAULT 0 NOT NULL,
	`customer_id` text,
	`customer_email` text,
	`customer_name` text,
	`tags` text DEFAULT '[]' NOT NULL,
	`cancel_key` text,
	`cancel_reason` text,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL,
	`seen_at` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `orders_new` (`tenant_id`, `id`, `name`, `status`, `total_amount`, `currency`, `refunded_amount`, `customer_id`, `customer_email`, `customer_name`, `tags`, `cancel_key`, `cancel_reason`, `created_at`, `updated_at`) SELECT `tenant_id`, `id`, `name`, `status`, `total_amount`, `currency`, `refunded_amount`, `customer_id`, `customer_email`, `customer_name`, `tags`, `cancel_key`, `cancel_reason`, `created_at`, `updated_at` FROM `orders`;
--> statement-breakpoint
DROP TABLE `orders`;
--> statement-breakpoint
ALTER TABLE `orders_new` RENAME TO `orders`;
--> statement-breakpoint
CREATE INDEX `orders_by_time` ON `orders` (`tenant_id`,`created_at`,`id`);
--> statement-breakpoint
CREATE TABLE `audit_new` (
	`tenant_id` text NOT NULL,
	`seq` integer NOT NULL,
	`id` text NOT NULL,
	`at` text NOT NULL,
	`actor_type` text NOT NULL,
	`actor_id` text NOT NULL,
	`actor_name` text NOT NULL,
	`action` text NOT NULL,
	`target_type` text NOT NULL,
	`target_id` text NOT NULL,
	`request_id` text NOT NULL,
	`data` text NOT NULL,
	`prev_hash` text NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `seq`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `audit_new` (`tenant_id`, `seq`, `id`, `at`, `actor_type`, `actor_id`, `actor_name`, `action`, `target_type`, `target_id`, `request_id`, `data`, `prev_hash`, `hash`) SELECT `tenant_id`, `seq`, `id`, `at`, `actor_type`, `actor_id`, `actor_name`, `action`, `target_type`, `target_id`, `request_id`, `data`, `prev_hash`, `hash` FROM `audit`;
--> statement-breakpoint
DROP TABLE `audit`;
--> statement-breakpoint
ALTER TABLE `audit_new` RENAME TO `audit`;
--> statement-breakpoint
CREATE INDEX `audit_by_action` ON `audit` (`tenant_id`,`action`,`seq`);
--> statement-breakpoint
CREATE INDEX `audit_by_actor` ON `audit` (`tenant_id`,`actor_id`,`seq`);
--> statement-breakpoint
CREATE INDEX `audit_by_target` ON `audit` (`tenant_id`,`target_id`,`seq`);
--> statement-breakpoint
CREATE INDEX `audit_by_time` ON `audit` (`tenant_id`,`at`,`seq`);
--> statement-breakpoint
CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER audit_refuses_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE tenant_id = NEW.tenant_id AND seq = NEW.seq AND hash <> NEW.hash)
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER audit_ignores_repeat BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE tenant_id = NEW.tenant_id AND seq = NEW.seq AND hash = NEW.hash)
BEGIN SELECT RAISE(IGNORE); END;
