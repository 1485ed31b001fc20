package workflows

import (
	"context"

	enums "go.temporal.io/api/enums/v1"

	"relay/internal/ops"
)

// Inspect asks Temporal for the pollers of the relay's task queues and for its schedules. If Temporal does not respond, the report
// states it.
func (s Starter) Inspect(ctx context.Context) ops.TemporalReport {
	var r ops.TemporalReport
	for _, queue := range []string{s.TaskQueue, Housekeeping(s.TaskQueue)} {
		for kind, t := range map[string]enums.TaskQueueType{"workflow": enums.TASK_QUEUE_TYPE_WORKFLOW, "activity": enums.TASK_QUEUE_TYPE_ACTIVITY} {
			d, err := s.Client.DescribeTaskQueue(ctx, queue, t)
			if err != nil {
				return ops.TemporalReport{}
			}
			for _, p := range d.GetPollers() {
				r.Pollers = append(r.Pollers, ops.Poller{TaskQueue: queue, Kind: kind, Identity: p.GetIdentity(), SeenAt: p.GetLastAccessTime().AsTime()})
			}
		}
	}
	r.Reached = true
	for _, id := range []string{reconcileID, rollUpID, purgeID, notifyID} {
		d, err := s.Client.ScheduleClient().GetHandle(ctx, id).Describe(ctx)
		if err != nil {
			continue // no worker has made it yet
		}
		schedule := ops.Schedule{ID: id, Paused: d.Schedule.State != nil && d.Schedule.State.Paused}
		if n := len(d.Info.RecentActions); n > 0 {
			schedule.LastRun = d.Info.RecentActions[n-1].ActualTime
		}
		if len(d.Info.NextActionTimes) > 0 {
			schedule.NextRun = d.Info.NextActionTimes[0]
		}
		r.Schedules = append(r.Schedules, schedule)
	}
	return r
}
