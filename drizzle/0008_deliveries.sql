-- Without a rowid a row is written once, in its primary key: drizzle cannot say so, hence by hand.
CREATE TABLE `deliveries` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`run_id` text NOT NULL,
	`step_id` text NOT NULL,
	`attempt` integer NOT NULL,
	`webhook_id` text NOT NULL,
	`destination` text NOT NULL,
	`code` text,
	`response_status` integer,
	`started_at` text NOT NULL,
	`duration_ms` integer NOT NULL,
	`response` text,
	PRIMARY KEY(`tenant_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `deliveries_failed` ON `deliveries` (`tenant_id`,`destination`,`id`) WHERE "deliveries"."code" is not null;--> statement-breakpoint
CREATE INDEX `deliveries_again` ON `deliveries` (`tenant_id`,`run_id`) WHERE "deliveries"."attempt" = 0;--> statement-breakpoint
ALTER TABLE `events` ADD `extensions` text DEFAULT '{}' NOT NULL;