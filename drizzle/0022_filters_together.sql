DROP INDEX `runs_by_status`;--> statement-breakpoint
DROP INDEX `runs_by_workflow`;--> statement-breakpoint
CREATE INDEX `runs_by_status` ON `runs` (`tenant_id`,`status`,`id`,`event_type`,`workflow_id`);--> statement-breakpoint
CREATE INDEX `runs_by_workflow` ON `runs` (`tenant_id`,`workflow_id`,`id`,`event_type`);