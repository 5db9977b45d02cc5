CREATE TABLE `checkpoints` (
	`tenant_id` text NOT NULL,
	`size` integer NOT NULL,
	`root` text NOT NULL,
	`note` text NOT NULL,
	`at` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `size`)
);
