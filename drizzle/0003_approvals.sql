CREATE TABLE `approvals` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`seq` integer NOT NULL,
	`status` text NOT NULL,
	`expires_at` text NOT NULL,
	`item` text NOT NULL,
	`barred` text NOT NULL,
	`among` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `approvals_by_status` ON `approvals` (`tenant_id`,`status`,`expires_at`,`id`);