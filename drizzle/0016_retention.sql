-- What a tenant keeps for so many days goes afterwards, and nothing else does: a run only when it is
-- over, its entries only once its row is gone, an event only when none of its runs is left.
CREATE TRIGGER runs_refuse_delete BEFORE DELETE ON runs
WHEN OLD.status NOT IN ('succeeded', 'failed', 'denied', 'expired', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a run that is not over stays'); END;
--> statement-breakpoint
DROP TRIGGER run_entries_refuse_delete;
--> statement-breakpoint
CREATE TRIGGER run_entries_refuse_delete BEFORE DELETE ON run_entries
WHEN EXISTS (SELECT 1 FROM runs WHERE tenant_id = OLD.tenant_id AND id = OLD.run_id)
BEGIN SELECT RAISE(ABORT, 'run_entries is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER approvals_refuse_delete BEFORE DELETE ON approvals
WHEN OLD.status = 'pending'
BEGIN SELECT RAISE(ABORT, 'an approval that is pending stays'); END;
--> statement-breakpoint
CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events
WHEN EXISTS (SELECT 1 FROM json_each(OLD.runs) AS started CROSS JOIN runs
  WHERE runs.tenant_id = OLD.tenant_id AND runs.id = started.value)
BEGIN SELECT RAISE(ABORT, 'an event stays as long as its runs'); END;
