DROP INDEX `flag_changes_by_time`;--> statement-breakpoint
DROP INDEX `flag_changes_of_key`;--> statement-breakpoint
CREATE INDEX `flag_changes_by_time` ON `flag_changes` (`tenant_id`,`at`,`key`,`changed_key`);--> statement-breakpoint
CREATE INDEX `flag_changes_of_key` ON `flag_changes` (`tenant_id`,`key`,`at`,`changed_key`);--> statement-breakpoint
CREATE INDEX `deliveries_failed_by_time` ON `deliveries` (`tenant_id`,`id`) WHERE "deliveries"."code" is not null;