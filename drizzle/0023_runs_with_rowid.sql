-- A row of a table without a rowid is whole in its page up to 1,002 bytes only, and what goes beyond has a
-- page of its own: most of a run's, which is three quarters empty. With a rowid and the index that its key
-- then is, runs are less than half as large. Drizzle cannot say it, hence by hand. For that index another one goes.
CREATE TABLE `run_kinds` (
	`tenant_id` text NOT NULL,
	`event_type` text NOT NULL,
	`workflow_id` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `event_type`, `workflow_id`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `run_kinds` SELECT DISTINCT `tenant_id`, `event_type`, `workflow_id` FROM `runs`;
--> statement-breakpoint
DROP TRIGGER run_entries_refuse_delete;
--> statement-breakpoint
DROP TRIGGER events_refuse_delete;
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
	`origin` text,
	`retry_of` text,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
INSERT INTO `runs_new` (`tenant_id`, `id`, `seq`, `workflow_id`, `workflow_name`, `workflow_version`, `event_id`, `event_type`, `status`, `request_id`, `correlation_id`, `created_at`, `finished_at`, `error`, `wake_at`, `entries`, `origin`, `retry_of`) SELECT `tenant_id`, `id`, `seq`, `workflow_id`, `workflow_name`, `workflow_version`, `event_id`, `event_type`, `status`, `request_id`, `correlation_id`, `created_at`, `finished_at`, `error`, `wake_at`, `entries`, `origin`, `retry_of` FROM `runs`;
--> statement-breakpoint
DROP TABLE `runs`;
--> statement-breakpoint
ALTER TABLE `runs_new` RENAME TO `runs`;
--> statement-breakpoint
CREATE INDEX `runs_by_status` ON `runs` (`tenant_id`,`status`,`id`,`event_type`,`workflow_id`);
--> statement-breakpoint
CREATE INDEX `runs_by_workflow` ON `runs` (`tenant_id`,`workflow_id`,`id`,`event_type`);
--> statement-breakpoint
CREATE INDEX `runs_by_wake` ON `runs` (`wake_at`) WHERE "runs"."wake_at" is not null;
--> statement-breakpoint
CREATE INDEX `runs_again` ON `runs` (`tenant_id`,`correlation_id`,`id`) WHERE "runs"."retry_of" is not null;
--> statement-breakpoint
CREATE INDEX `runs_by_retry` ON `runs` (`tenant_id`,`retry_of`) WHERE "runs"."retry_of" is not null;
--> statement-breakpoint
CREATE TRIGGER runs_refuse_delete BEFORE DELETE ON runs
WHEN OLD.status NOT IN ('succeeded', 'failed', 'denied', 'expired', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a run that is not over stays'); END;
--> statement-breakpoint
CREATE TRIGGER runs_refuse_update BEFORE UPDATE OF entries ON runs
WHEN OLD.entries IS NOT NULL AND NEW.entries IS NOT OLD.entries
  AND substr(NEW.entries, 1, length(OLD.entries)) IS NOT substr(OLD.entries, 1, length(OLD.entries) - 1) || ','
  AND (NEW.entries IS NULL OR json_array_length(NEW.entries) <> json_array_length(OLD.entries)
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
CREATE TRIGGER run_entries_refuse_delete BEFORE DELETE ON run_entries
WHEN EXISTS (SELECT 1 FROM runs WHERE tenant_id = OLD.tenant_id AND id = OLD.run_id)
BEGIN SELECT RAISE(ABORT, 'run_entries is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events
WHEN EXISTS (SELECT 1 FROM json_each(OLD.runs) AS started CROSS JOIN runs
  WHERE runs.tenant_id = OLD.tenant_id AND runs.id = started.value)
BEGIN SELECT RAISE(ABORT, 'an event stays as long as its runs'); END;
--> statement-breakpoint
CREATE TRIGGER runs_are_of_a_kind AFTER INSERT ON runs BEGIN
INSERT INTO run_kinds VALUES (NEW.tenant_id, NEW.event_type, NEW.workflow_id)
ON CONFLICT DO NOTHING; END;
