-- History is append-only: a row of it can neither be changed nor taken away. REPLACE deletes without
-- firing a delete trigger, so an insert that would overwrite a row with another content is refused
-- too; the same content again is ignored, for parcels may come twice.
CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER audit_refuses_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE tenant_id = NEW.tenant_id AND seq = NEW.seq AND hash <> NEW.hash)
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER audit_ignores_repeat BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE tenant_id = NEW.tenant_id AND seq = NEW.seq AND hash = NEW.hash)
BEGIN SELECT RAISE(IGNORE); END;
--> statement-breakpoint
CREATE TRIGGER run_entries_refuse_update BEFORE UPDATE ON run_entries
BEGIN SELECT RAISE(ABORT, 'run_entries is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER run_entries_refuse_delete BEFORE DELETE ON run_entries
BEGIN SELECT RAISE(ABORT, 'run_entries is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER run_entries_ignore_repeat BEFORE INSERT ON run_entries
WHEN EXISTS (SELECT 1 FROM run_entries WHERE tenant_id = NEW.tenant_id AND run_id = NEW.run_id
  AND first_seq = NEW.first_seq)
BEGIN SELECT RAISE(IGNORE); END;
