ALTER TABLE `exports` ADD `run_id` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `exports` ADD `expires_at` text;--> statement-breakpoint
ALTER TABLE `exports` ADD `removed_at` text;--> statement-breakpoint
ALTER TABLE `exports` ADD `up_to` integer;--> statement-breakpoint
ALTER TABLE `exports` ADD `slices` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `exports` ADD `numbers` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `exports` ADD `cursor` text;--> statement-breakpoint
ALTER TABLE `exports` ADD `is_read` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `exports` ADD `upload_id` text;--> statement-breakpoint
ALTER TABLE `exports` ADD `parts` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `exports` ADD `rest` text;--> statement-breakpoint
ALTER TABLE `exports` ADD `touched_at` text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX `exports_by_expiry` ON `exports` (`expires_at`) WHERE removed_at IS NULL;--> statement-breakpoint
CREATE INDEX `exports_unfinished` ON `exports` (`touched_at`) WHERE status = 'running';--> statement-breakpoint
ALTER TABLE `flag_changes` ADD `run_id` text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX `flag_changes_by_version` ON `flag_changes` (`tenant_id`,`key`,`version`);