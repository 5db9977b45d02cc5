ALTER TABLE `runs` ADD `origin` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `retry_of` text;--> statement-breakpoint
CREATE INDEX `runs_by_retry` ON `runs` (`tenant_id`,`retry_of`) WHERE "runs"."retry_of" is not null;