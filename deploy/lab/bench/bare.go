package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"relay/deploy/lab/bench/floor"
	"relay/internal/proc"
)

// bareWorkflows is the floor's process.
type bareWorkflows struct {
	process *proc.Process
	orders  *json.Encoder
	answers *json.Decoder
	input   io.Closer
}

func startBare(ctx context.Context, dev []string, temporal string) (*bareWorkflows, error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), dev[0], append(dev[1:], "bench", "floor", "--temporal", temporal)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	process, err := proc.Start(cmd)
	if err != nil {
		return nil, err
	}
	b := &bareWorkflows{process: process, orders: json.NewEncoder(in), answers: json.NewDecoder(out), input: in}
	var ready string
	if err := b.answers.Decode(&ready); err != nil {
		b.stop()
		return nil, fmt.Errorf("start bare workflows: %w", err)
	}
	_, err = b.run(floor.Order{Shape: floor.Delivery, N: 20, InFlight: 8}) // warm
	return b, err
}

// run runs bare workflows to their end.
func (b *bareWorkflows) run(o floor.Order) (floor.Outcome, error) {
	if err := b.orders.Encode(o); err != nil {
		return floor.Outcome{}, err
	}
	var outcome floor.Outcome
	if err := b.answers.Decode(&outcome); err != nil {
		return outcome, fmt.Errorf("bare workflows: %w", err)
	}
	if outcome.Failure != "" {
		return outcome, errors.New(outcome.Failure)
	}
	return outcome, nil
}

func (b *bareWorkflows) pid() int { return b.process.Pid() }

func (b *bareWorkflows) stop() {
	_ = b.input.Close() // it ends at the end of its orders; otherwise Stop ends it
	_ = b.process.Stop(5 * time.Second)
}
