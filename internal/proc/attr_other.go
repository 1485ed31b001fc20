//go:build unix && !linux

package proc

import "syscall"

// attributes asks for a process group of its own. There is no parent-death signal outside Linux: our own programs
// watch the lifeline, and a database server left behind is ended by the next start on its folder.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
