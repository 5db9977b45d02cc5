-- A signed checkpoint is history too: its row can neither be changed, taken away nor replaced, and
-- one that contradicts it is refused. The same one again is ignored, for parcels may come twice.
CREATE TRIGGER checkpoints_refuse_update BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER checkpoints_refuse_delete BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER checkpoints_refuse_replace BEFORE INSERT ON checkpoints
WHEN EXISTS (SELECT 1 FROM checkpoints WHERE tenant_id = NEW.tenant_id AND size = NEW.size AND root <> NEW.root)
BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER checkpoints_ignore_repeat BEFORE INSERT ON checkpoints
WHEN EXISTS (SELECT 1 FROM checkpoints WHERE tenant_id = NEW.tenant_id AND size = NEW.size AND root = NEW.root)
BEGIN SELECT RAISE(IGNORE); END;
