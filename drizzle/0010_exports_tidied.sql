ALTER TABLE `exports` ADD `tidied_at` text;--> statement-breakpoint
CREATE INDEX `exports_untidy` ON `exports` (`touched_at`) WHERE status = 'completed' AND tidied_at IS NULL;--> statement-breakpoint
UPDATE `exports` SET `touched_at` = `created_at` WHERE `touched_at` = '';--> statement-breakpoint
UPDATE `exports` SET `expires_at` = strftime('%Y-%m-%dT%H:%M:%fZ', `finished_at`, '+30 days') WHERE `status` = 'completed' AND `expires_at` IS NULL;
