// Package proc runs child processes that cannot outlive the process which started them.
//
// Two means, because neither is enough alone. On Linux the kernel kills the child when its parent's thread ends
// (Pdeathsig); that works for programs that know nothing of us, such as a database server. Every child also inherits
// the read end of a pipe whose write end only the parent holds: a program of ours calls ExitWithParent and ends at
// end of file, which works on every Unix.
package proc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// lifelineEnv is the variable with the number of the pipe that a child inherits.
const lifelineEnv = "RELAY_LIFELINE_FD"

// ErrKilled says that a process had to be killed because it did not end within its time.
var ErrKilled = errors.New("killed, it did not stop in time")

// Process is a running child. Its methods may be called from any goroutine.
type Process struct {
	cmd      *exec.Cmd
	lifeline *os.File
	done     chan struct{}
	err      error // set before done is closed
}

// Start starts cmd as a child that ends with this process. It takes over cmd's SysProcAttr, and puts the child into a
// process group of its own: a Ctrl-C in the terminal reaches only the parent, which then stops its children in order.
func Start(cmd *exec.Cmd) (*Process, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("lifeline: %w", err)
	}
	defer func() { _ = theirs.Close() }()
	cmd.ExtraFiles = append(cmd.ExtraFiles, theirs)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, lifelineEnv+"="+strconv.Itoa(2+len(cmd.ExtraFiles)))
	cmd.SysProcAttr = attributes()
	p := &Process{cmd: cmd, lifeline: ours, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		_ = ours.Close()
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// run forks and waits on one locked thread: Pdeathsig fires when the forking thread ends, not when the process does,
// so that thread must live as long as the child.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	_ = p.lifeline.Close()
	close(p.done)
}

// Pid is the child's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed once the child has ended and was reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is the error with which the child ended: nil for exit status 0. It is meaningful only after Done is closed.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Stop asks the child to end (SIGTERM) and waits. After grace it kills the child and returns ErrKilled. Stopping a
// child that has ended is not an error, however it ended.
func (p *Process) Stop(grace time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // the only error is that it has ended
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
		p.Kill()
		return ErrKilled
	}
}

// Kill ends the child with SIGKILL and waits until it is reaped.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // the only error is that it has ended
	<-p.done
}

// ExitWithParent makes this process end at once when the process that started it through Start ends. Without such a
// parent it does nothing. Programs call it first of all in main.
func ExitWithParent() {
	fd, err := strconv.ParseUint(os.Getenv(lifelineEnv), 10, 16)
	if err != nil {
		return
	}
	_ = os.Unsetenv(lifelineEnv) // not for our own children, which do not inherit the pipe
	syscall.CloseOnExec(int(fd))
	lifeline := os.NewFile(uintptr(fd), "lifeline")
	go func() {
		_, _ = io.Copy(io.Discard, lifeline)
		os.Exit(1)
	}()
}
