package floor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Order requests one run of bare workflows.
type Order struct {
	Shape    string `json:"shape"`
	N        int    `json:"n"`
	InFlight int    `json:"in_flight"` // starts at a time
	Eager    bool   `json:"eager"`     // the starter hands the first task to its own worker
}

// Outcome holds the times of a run.
type Outcome struct {
	Took    time.Duration   `json:"took"`              // first start to the last workflow's last step
	ToSend  []time.Duration `json:"to_send,omitempty"` // start to the regular activity, of each workflow; for small runs
	Events  int64           `json:"events"`            // in the history of one of them
	Failure string          `json:"failure,omitempty"`
}

// mostTimed bounds the runs whose single workflows are timed.
const mostTimed = 1000

// Process is the floor as a separate process, as the relay is: starter and worker on one connection. It reads orders from
// in, one per line, and writes one line for each.
func Process(ctx context.Context, address string, in io.Reader, out io.Writer) error {
	c, err := client.DialContext(ctx, client.Options{
		HostPort: address, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		ConnectionOptions: client.ConnectionOptions{GrpcCompression: &client.GrpcCompressionNone{}}, // as the relay's
	})
	if err != nil {
		return err
	}
	defer c.Close()
	p := &process{client: c, queue: "bare"}
	w := worker.New(c, p.queue, worker.Options{ // as the relay's
		MaxConcurrentActivityExecutionSize: 2000,
		MaxConcurrentActivityTaskPollers:   10,
		MaxConcurrentWorkflowTaskPollers:   10,
		StickyScheduleToStartTimeout:       time.Second,
	})
	w.RegisterWorkflowWithOptions(bare, workflow.RegisterOptions{Name: "bare"})
	w.RegisterActivity(&steps{&p.runs})
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	return p.serve(ctx, in, out)
}

type process struct {
	client client.Client
	queue  string
	runs   runs
}

func (p *process) serve(ctx context.Context, in io.Reader, out io.Writer) error {
	answers := json.NewEncoder(out)
	if err := answers.Encode("ready"); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var o Order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		outcome, err := p.run(ctx, o)
		if err != nil {
			outcome.Failure = err.Error()
		}
		if err := answers.Encode(outcome); err != nil {
			return err
		}
	}
	return nil
}

// run starts N workflows, some at a time, and waits for the last step of the last one.
func (p *process) run(ctx context.Context, o Order) (Outcome, error) {
	regular := 1
	if o.Shape == FanOut {
		regular = fanOut
	}
	number := p.runs.begin(o.N)
	began := time.Now()
	if err := p.startAll(ctx, o, input{Run: number, Regular: regular}); err != nil {
		return Outcome{}, err
	}
	select {
	case <-p.runs.done:
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	}
	outcome := Outcome{Took: time.Since(began)}
	if o.N <= mostTimed {
		outcome.ToSend = p.runs.took
	}
	var err error
	outcome.Events, err = p.historyLength(ctx, workflowID(number, 0))
	return outcome, err
}

func (p *process) startAll(ctx context.Context, o Order, in input) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failure error
	slots := make(chan struct{}, o.InFlight)
	for n := range o.N {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			one := in
			one.N = n
			p.runs.started(one)
			_, err := p.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
				ID: workflowID(in.Run, n), TaskQueue: p.queue, EnableEagerStart: o.Eager, WorkflowTaskTimeout: 5 * time.Second,
			}, "bare", one)
			if err != nil {
				mu.Lock()
				failure = errors.Join(failure, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return failure
}

// historyLength waits until the workflow is closed.
func (p *process) historyLength(ctx context.Context, id string) (int64, error) {
	if err := p.client.GetWorkflow(ctx, id, "").Get(ctx, nil); err != nil {
		return 0, err
	}
	d, err := p.client.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return 0, err
	}
	return d.GetWorkflowExecutionInfo().GetHistoryLength(), nil
}

func workflowID(run, n int) string { return fmt.Sprintf("bare:%d:%d", run, n) }

// runs counts the steps of the current run.
type runs struct {
	mu     sync.Mutex
	number int
	open   int
	starts []time.Time
	took   []time.Duration
	seen   []bool
	done   chan struct{}
}

func (r *runs) begin(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.number++
	r.open, r.starts, r.took, r.seen = n, make([]time.Time, n), make([]time.Duration, n), make([]bool, n)
	r.done = make(chan struct{})
	return r.number
}

func (r *runs) started(in input) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts[in.N] = time.Now()
}

func (r *runs) sent(in input) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.Run == r.number && r.took[in.N] == 0 {
		r.took[in.N] = time.Since(r.starts[in.N])
	}
}

// ended counts a workflow once, even if its last step is done twice.
func (r *runs) ended(in input) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.Run != r.number || r.seen[in.N] {
		return
	}
	r.seen[in.N] = true
	if r.open--; r.open == 0 {
		close(r.done)
	}
}
