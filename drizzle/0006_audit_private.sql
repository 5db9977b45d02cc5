-- WITHOUT ROWID is put in by hand: the key is the row, so an entry's private parts cost one row written.
CREATE TABLE `audit_private` (
	`tenant_id` text NOT NULL,
	`seq` integer NOT NULL,
	`parts` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `seq`)
) WITHOUT ROWID;
