-- A run's later entries go on in its row, as long as that is small: a transition costs no row of its own.
-- What stands there may be gone on with, and erased as before, and nothing else.
DROP TRIGGER runs_refuse_update;
--> statement-breakpoint
CREATE TRIGGER runs_refuse_update BEFORE UPDATE OF entries ON runs
WHEN OLD.entries IS NOT NULL AND NEW.entries IS NOT OLD.entries
  AND substr(NEW.entries, 1, length(OLD.entries)) IS NOT substr(OLD.entries, 1, length(OLD.entries) - 1) || ','
  AND (NEW.entries IS NULL OR json_array_length(NEW.entries) <> json_array_length(OLD.entries)
  OR EXISTS (SELECT 1 FROM json_each(OLD.entries) AS o WHERE NOT EXISTS (
    SELECT 1 FROM json_each(NEW.entries) AS n WHERE n.key = o.key
      AND n.value->>'seq' IS o.value->>'seq' AND n.value->>'at' IS o.value->>'at'
      AND n.value->>'type' IS o.value->>'type' AND n.value->>'stepId' IS o.value->>'stepId'))
  OR EXISTS (SELECT 1 FROM json_tree(NEW.entries) AS n
    WHERE n.atom IS NOT NULL AND n.atom IS NOT '[erased]' AND NOT EXISTS (
      SELECT 1 FROM json_tree(OLD.entries) AS o
      WHERE o.fullkey = n.fullkey AND o.type = n.type AND o.atom IS n.atom)))
BEGIN SELECT RAISE(ABORT, 'the entries of a run are append-only'); END;
