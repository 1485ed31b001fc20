package proc

import "syscall"

// attributes asks the kernel for a process group of its own and for SIGKILL at the parent's end: only that signal is
// certain to end a program that blocks or is slow to stop.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
