package sim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// spawn starts the host process, cut off from this one: it has no terminal, no standard streams and no parent to
// wait for it. ended gets its end, should it come while this process still runs.
func (p *Provider) spawn() (ended <-chan error, err error) {
	program := p.o.Executable
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find podium itself: %w", err)
		}
	}
	dir, err := filepath.Abs(p.o.Dir)
	if err != nil {
		return nil, err
	}
	if program, err = keepProgram(program, dir); err != nil {
		return nil, fmt.Errorf("copy podium for the simulator: %w", err)
	}
	log, err := p.files().OpenFile(logName, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the simulator's log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(program, "sim-host", "--dir", dir) //nolint:noctx // it outlives this process
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	ch := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = fmt.Errorf("exit code 0")
		}
		ch <- err
	}()
	return ch, nil
}
