CREATE TABLE `audit` (
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
);
--> statement-breakpoint
CREATE INDEX `audit_by_action` ON `audit` (`tenant_id`,`action`,`seq`);--> statement-breakpoint
CREATE INDEX `audit_by_actor` ON `audit` (`tenant_id`,`actor_id`,`seq`);--> statement-breakpoint
CREATE INDEX `audit_by_target` ON `audit` (`tenant_id`,`target_id`,`seq`);--> statement-breakpoint
CREATE INDEX `audit_by_time` ON `audit` (`tenant_id`,`at`,`seq`);--> statement-breakpoint
CREATE TABLE `events` (
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
	`matches` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `events_by_type` ON `events` (`tenant_id`,`type`,`id`);--> statement-breakpoint
CREATE INDEX `events_by_source` ON `events` (`tenant_id`,`source`,`id`);--> statement-breakpoint
CREATE INDEX `events_by_correlation` ON `events` (`tenant_id`,`correlation_id`,`id`);--> statement-breakpoint
CREATE TABLE `run_entries` (
	`tenant_id` text NOT NULL,
	`run_id` text NOT NULL,
	`first_seq` integer NOT NULL,
	`entries` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `run_id`, `first_seq`)
);
--> statement-breakpoint
CREATE TABLE `runs` (
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
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `runs_by_status` ON `runs` (`tenant_id`,`status`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_workflow` ON `runs` (`tenant_id`,`workflow_id`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_event_type` ON `runs` (`tenant_id`,`event_type`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_correlation` ON `runs` (`tenant_id`,`correlation_id`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_wake` ON `runs` (`wake_at`) WHERE "runs"."wake_at" is not null;--> statement-breakpoint
CREATE TABLE `tenants` (
	`tenant_id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`created_at` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `mailbox` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`to` text NOT NULL,
	`subject` text NOT NULL,
	`text` text,
	`html` text,
	`at` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `mailbox_by_time` ON `mailbox` (`tenant_id`,`at`,`id`);--> statement-breakpoint
CREATE TABLE `exports` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`key` text NOT NULL,
	`kind` text NOT NULL,
	`format` text NOT NULL,
	`status` text NOT NULL,
	`rows` integer NOT NULL,
	`bytes` integer NOT NULL,
	`object_key` text NOT NULL,
	`created_at` text NOT NULL,
	`finished_at` text,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `exports_by_key` ON `exports` (`tenant_id`,`key`);--> statement-breakpoint
CREATE TABLE `flag_changes` (
	`tenant_id` text NOT NULL,
	`key` text NOT NULL,
	`changed_key` text NOT NULL,
	`enabled` integer NOT NULL,
	`version` integer NOT NULL,
	`at` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `key`, `changed_key`)
);
--> statement-breakpoint
CREATE TABLE `flags` (
	`tenant_id` text NOT NULL,
	`key` text NOT NULL,
	`enabled` integer NOT NULL,
	`version` integer NOT NULL,
	`updated_at` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `key`)
);
--> statement-breakpoint
CREATE TABLE `order_tags` (
	`tenant_id` text NOT NULL,
	`order_id` text NOT NULL,
	`tag` text NOT NULL,
	`key` text,
	`at` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `order_id`, `tag`)
);
--> statement-breakpoint
CREATE TABLE `orders` (
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
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `orders_by_time` ON `orders` (`tenant_id`,`created_at`,`id`);--> statement-breakpoint
CREATE TABLE `refunds` (
	`tenant_id` text NOT NULL,
	`order_id` text NOT NULL,
	`id` text NOT NULL,
	`amount` integer NOT NULL,
	`currency` text NOT NULL,
	`reason` text,
	`at` text NOT NULL,
	`refunded_after` integer,
	PRIMARY KEY(`tenant_id`, `order_id`, `id`)
);
