-- Erasure takes away and never rewrites. Of an audit entry's private parts some may go; none may be
-- changed, put in or put back, so the row itself stays.
CREATE TRIGGER audit_private_refuses_delete BEFORE DELETE ON audit_private
BEGIN SELECT RAISE(ABORT, 'audit_private only loses parts'); END;
--> statement-breakpoint
CREATE TRIGGER audit_private_refuses_update BEFORE UPDATE ON audit_private
WHEN NEW.tenant_id <> OLD.tenant_id OR NEW.seq <> OLD.seq OR json_type(NEW.parts) <> 'object'
  OR EXISTS (SELECT 1 FROM json_each(NEW.parts) AS n WHERE NOT EXISTS (
    SELECT 1 FROM json_each(OLD.parts) AS o WHERE o.key = n.key AND o.value IS n.value))
BEGIN SELECT RAISE(ABORT, 'audit_private only loses parts'); END;
--> statement-breakpoint
CREATE TRIGGER audit_private_ignores_repeat BEFORE INSERT ON audit_private
WHEN EXISTS (SELECT 1 FROM audit_private WHERE tenant_id = NEW.tenant_id AND seq = NEW.seq)
BEGIN SELECT RAISE(IGNORE); END;
--> statement-breakpoint
-- A run's entries stay, each with its number, time, type and step. A value in them may become
-- '[erased]' or go; it may not become another one.
DROP TRIGGER run_entries_refuse_update;
--> statement-breakpoint
CREATE TRIGGER run_entries_refuse_update BEFORE UPDATE ON run_entries
WHEN NEW.tenant_id <> OLD.tenant_id OR NEW.run_id <> OLD.run_id OR NEW.first_seq <> OLD.first_seq
  OR json_array_length(NEW.entries) <> json_array_length(OLD.entries)
  OR EXISTS (SELECT 1 FROM json_each(OLD.entries) AS o WHERE NOT EXISTS (
    SELECT 1 FROM json_each(NEW.entries) AS n WHERE n.key = o.key
      AND n.value->>'seq' IS o.value->>'seq' AND n.value->>'at' IS o.value->>'at'
      AND n.value->>'type' IS o.value->>'type' AND n.value->>'stepId' IS o.value->>'stepId'))
  OR EXISTS (SELECT 1 FROM json_tree(NEW.entries) AS n
    WHERE n.atom IS NOT NULL AND n.atom IS NOT '[erased]' AND NOT EXISTS (
      SELECT 1 FROM json_tree(OLD.entries) AS o
      WHERE o.fullkey = n.fullkey AND o.type = n.type AND o.atom IS n.atom))
BEGIN SELECT RAISE(ABORT, 'run_entries is append-only'); END;
