-- WITHOUT ROWID is put in by hand: a key is found and read in one row.
CREATE TABLE `frontend_keys` (
	`tenant_id` text NOT NULL,
	`digest` text NOT NULL,
	`revoked_at` text,
	PRIMARY KEY(`tenant_id`, `digest`)
) WITHOUT ROWID;
--> statement-breakpoint
DROP INDEX `flag_changes_by_version`;--> statement-breakpoint
ALTER TABLE `flag_changes` ADD `step_id` text DEFAULT '' NOT NULL;--> statement-breakpoint
-- By hand: the call of a step is named by its run and its own name.
UPDATE `flag_changes` SET `step_id` = substr(`changed_key`, length(`run_id`) + 2) WHERE `run_id` <> '';--> statement-breakpoint
ALTER TABLE `flag_changes` ADD `actor` text;--> statement-breakpoint
ALTER TABLE `flag_changes` ADD `comment` text;--> statement-breakpoint
ALTER TABLE `flag_changes` ADD `service` text DEFAULT 'signalbox' NOT NULL;--> statement-breakpoint
ALTER TABLE `flag_changes` ADD `is_applied` integer DEFAULT true NOT NULL;--> statement-breakpoint
CREATE INDEX `flag_changes_by_time` ON `flag_changes` (`tenant_id`,`at`);--> statement-breakpoint
CREATE INDEX `flag_changes_of_key` ON `flag_changes` (`tenant_id`,`key`,`at`);--> statement-breakpoint
ALTER TABLE `tenants` ADD `flags_service` text;