-- Which workflows were enabled for a type of events, on which condition, so that an event need not say of
-- each that its condition is false. Events from before say so themselves, and have no revision. By hand are
-- WITHOUT ROWID and the trigger.
CREATE TABLE `triggers` (
	`tenant_id` text NOT NULL,
	`workflow_id` text NOT NULL,
	`since` integer NOT NULL,
	`version` integer NOT NULL,
	`event_type` text,
	`condition` text,
	`until` integer DEFAULT 9007199254740991 NOT NULL,
	PRIMARY KEY(`tenant_id`, `workflow_id`, `since`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `triggers_of_type` ON `triggers` (`tenant_id`,`event_type`,`until`);--> statement-breakpoint
ALTER TABLE `events` ADD `revision` integer;
--> statement-breakpoint
-- A change stands until the next one of its workflow.
CREATE TRIGGER triggers_end AFTER INSERT ON triggers
BEGIN
  UPDATE triggers SET until = NEW.since WHERE tenant_id = NEW.tenant_id
    AND workflow_id = NEW.workflow_id AND since < NEW.since AND until > NEW.since;
END;
