-- WITHOUT ROWID is put in by hand: the key is the row, so a subtree costs one row written.
CREATE TABLE `audit_subtrees` (
	`tenant_id` text NOT NULL,
	`level` integer NOT NULL,
	`place` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `level`, `place`)
) WITHOUT ROWID;
