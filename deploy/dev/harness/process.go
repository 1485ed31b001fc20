// Package harness runs the whole system as separate processes on free ports and in a folder of its own, and stops, kills
// and restarts each part. make dev, the end-to-end tests, the benchmark and the crash tests share it.
package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"relay/internal/proc"
)

// startBound bounds a start on a loaded machine; usually every part starts in about a second.
const startBound = 3 * time.Minute

// Process is one part of the system as a process. Start, Stop, Kill and Restart may not run at the same time.
type Process struct {
	name  string
	line  func() []string // the command line, computed at each start
	env   []string        // nil: this process's
	log   string          // file of the process's output
	grace time.Duration   // for a clean stop
	ready func(ctx context.Context, announced <-chan []byte) error

	mu      sync.Mutex
	process *proc.Process
}

// Start starts the process and returns when it is ready.
func (p *Process) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startBound, errors.New("not ready in time"))
	defer cancel()
	log, err := openLog(p.log)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	line := p.line()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), line[0], line[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, in, log
	process, err := proc.Start(cmd)
	_ = in.Close()
	if err != nil {
		return errors.Join(err, out.Close())
	}
	p.mu.Lock()
	p.process = process
	p.mu.Unlock()
	if err := p.await(ctx, process, firstLine(out)); err != nil {
		process.Kill()
		return fmt.Errorf("start %s: %w\n%s", p.name, err, p.LogTail())
	}
	return nil
}

// await waits until the process is ready or has ended, or ctx ends.
func (p *Process) await(ctx context.Context, process *proc.Process, announced <-chan []byte) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-process.Done():
			cancel(fmt.Errorf("it ended: %w", process.Err()))
		case <-ctx.Done():
		}
	}()
	err := p.ready(ctx, announced)
	if err != nil && ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}

// Stop signals the process to end, and waits. Stopping a process that does not run is not an error.
func (p *Process) Stop() error {
	process := p.current()
	if process == nil {
		return nil
	}
	if err := process.Stop(p.grace); err != nil {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	return nil
}

// Kill ends the process with SIGKILL, as a crash would.
func (p *Process) Kill() {
	if process := p.current(); process != nil {
		process.Kill()
	}
}

// Restart stops the process if it runs, and starts it again on the same ports and files.
func (p *Process) Restart(ctx context.Context) error {
	return errors.Join(p.Stop(), p.Start(ctx))
}

// Name returns the name of the part.
func (p *Process) Name() string { return p.name }

// Pid returns the process id of the latest start, 0 before the first.
func (p *Process) Pid() int {
	process := p.current()
	if process == nil {
		return 0
	}
	return process.Pid()
}

// Done returns a channel that is closed when the process of the latest start has ended. Before the first start it is nil.
func (p *Process) Done() <-chan struct{} {
	process := p.current()
	if process == nil {
		return nil
	}
	return process.Done()
}

// LogFile returns the file of the process's output.
func (p *Process) LogFile() string { return p.log }

// LogTail returns the end of the log, which usually holds the reason of a failure.
func (p *Process) LogTail() string {
	const most = 4000
	log, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(log[max(0, len(log)-most):]))
}

// Race returns the first report of the race detector in the log, "" if there is none. It may be far before the end of the log.
func (p *Process) Race() string {
	const begin, most = "WARNING: DATA RACE", 8000
	log, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	_, report, found := strings.Cut(string(log), begin)
	if !found {
		return ""
	}
	return begin + report[:min(len(report), most)]
}

func (p *Process) current() *proc.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.process
}

func openLog(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// firstLine passes on the first line of output and drops the rest, so that the process never blocks.
func firstLine(out io.ReadCloser) <-chan []byte {
	lines := make(chan []byte, 1)
	go func() {
		defer func() { _ = out.Close() }()
		r := bufio.NewReader(out)
		if line, err := r.ReadBytes('\n'); err == nil {
			lines <- line
		}
		_, _ = io.Copy(io.Discard, r)
	}()
	return lines
}

// announcement waits for the line of JSON that a part prints once it is ready. The part chose its ports itself, so
// no other process could take them in between.
func announcement(into any) func(context.Context, <-chan []byte) error {
	return func(ctx context.Context, announced <-chan []byte) error {
		select {
		case line := <-announced:
			return json.Unmarshal(line, into)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// poll repeats f until it succeeds or ctx ends.
func poll(ctx context.Context, every time.Duration, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(every):
		}
	}
}
