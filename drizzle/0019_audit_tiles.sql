-- Of each 256 entries one row says who did what among them, to what, and when: what an index for each
-- filter cost a row of an entry for. And an entry's private parts stand in its own row. By hand are
-- WITHOUT ROWID, the triggers, and what goes over from the former tables.
CREATE TABLE `audit_tiles` (
	`tenant_id` text NOT NULL,
	`tile` integer NOT NULL,
	`since` text NOT NULL,
	`until` text NOT NULL,
	`acts` text NOT NULL,
	`targets` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `tile`)
) WITHOUT ROWID;
--> statement-breakpoint
DROP INDEX `audit_by_action`;--> statement-breakpoint
DROP INDEX `audit_by_actor`;--> statement-breakpoint
DROP INDEX `audit_by_target`;--> statement-breakpoint
DROP INDEX `audit_by_time`;--> statement-breakpoint
ALTER TABLE `audit` ADD `parts` text;--> statement-breakpoint
DROP TRIGGER audit_refuses_update;
--> statement-breakpoint
UPDATE `audit` SET `parts` = (SELECT p.parts FROM audit_private AS p
  WHERE p.tenant_id = audit.tenant_id AND p.seq = audit.seq);
--> statement-breakpoint
DROP TABLE `audit_private`;
--> statement-breakpoint
-- Erasure takes away and never rewrites. Of an entry's private parts some may go; none may be changed,
-- put in or put back, and nothing else of the entry may become anything else.
CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit
WHEN (NEW.tenant_id, NEW.seq, NEW.id, NEW.at, NEW.actor_type, NEW.actor_id, NEW.actor_name, NEW.action,
    NEW.target_type, NEW.target_id, NEW.request_id, NEW.data, NEW.prev_hash, NEW.hash)
  IS NOT (OLD.tenant_id, OLD.seq, OLD.id, OLD.at, OLD.actor_type, OLD.actor_id, OLD.actor_name, OLD.action,
    OLD.target_type, OLD.target_id, OLD.request_id, OLD.data, OLD.prev_hash, OLD.hash)
  OR OLD.parts IS NULL OR NEW.parts IS NULL OR json_type(NEW.parts) <> 'object'
  OR EXISTS (SELECT 1 FROM json_each(NEW.parts) AS n WHERE NOT EXISTS (
    SELECT 1 FROM json_each(OLD.parts) AS o WHERE o.key = n.key AND o.value IS n.value))
BEGIN SELECT RAISE(ABORT, 'audit is append-only, and only loses private parts'); END;
--> statement-breakpoint
INSERT INTO audit_tiles (tenant_id, tile, since, until, acts, targets)
SELECT tenant_id, (seq - 1) / 256, min(at), max(at),
  ',' || group_concat(DISTINCT actor_id || ' ' || action) || ',',
  ',' || group_concat(DISTINCT substr(target_id, -6)) || ','
FROM audit GROUP BY tenant_id, (seq - 1) / 256 HAVING count(*) = 256;
--> statement-breakpoint
-- With the entry that fills it, which comes after the others. Should one come later all the same, its
-- tile is made again: a filter may not miss it.
CREATE TRIGGER audit_makes_tile AFTER INSERT ON audit
WHEN NEW.seq % 256 = 0 OR EXISTS (SELECT 1 FROM audit_tiles
  WHERE tenant_id = NEW.tenant_id AND tile = (NEW.seq - 1) / 256)
BEGIN
  DELETE FROM audit_tiles WHERE tenant_id = NEW.tenant_id AND tile = (NEW.seq - 1) / 256;
  INSERT INTO audit_tiles (tenant_id, tile, since, until, acts, targets)
  SELECT NEW.tenant_id, (NEW.seq - 1) / 256, min(at), max(at),
    ',' || group_concat(DISTINCT actor_id || ' ' || action) || ',',
    ',' || group_concat(DISTINCT substr(target_id, -6)) || ','
  FROM audit WHERE tenant_id = NEW.tenant_id
    AND seq > (NEW.seq - 1) / 256 * 256 AND seq <= (NEW.seq - 1) / 256 * 256 + 256;
END;
