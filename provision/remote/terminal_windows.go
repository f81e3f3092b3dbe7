package remote

import (
	"io"
	"os"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/sys/windows"
	"golang.org/x/term"
)

// makeRaw gives every key to the node and lets the console obey the node's control sequences
// (learn.microsoft.com/windows/console/console-virtual-terminal-sequences), and gives a function that undoes both.
func makeRaw(o TerminalOptions) (restore func(), err error) {
	in := int(o.In.Fd())
	before, err := term.MakeRaw(in) // turns on ENABLE_VIRTUAL_TERMINAL_INPUT as well
	if err != nil {
		return nil, err
	}
	restore = func() { _ = term.Restore(in, before) }
	out := windows.Handle(o.Out.Fd())
	var mode uint32
	if windows.GetConsoleMode(out, &mode) != nil {
		return restore, nil // not a console
	}
	obey := mode | windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	if windows.SetConsoleMode(out, obey|windows.DISABLE_NEWLINE_AUTO_RETURN) != nil && windows.SetConsoleMode(out, obey) != nil {
		return restore, nil // a console before Windows 10: it shows the sequences, and is usable all the same
	}
	return func() {
		_ = windows.SetConsoleMode(out, mode)
		_ = term.Restore(in, before)
	}, nil
}

// keys are what the user types. os.File is not used, because it takes Ctrl-Z for the end of the input.
type keys struct {
	console windows.Handle
	closed  chan struct{}
	rest    []byte // UTF-8 not yet read
	half    uint16 // first half of a surrogate pair; 0: none
}

func openKeys(in *os.File) (*keys, error) {
	return &keys{console: windows.Handle(in.Fd()), closed: make(chan struct{})}, nil
}

// keyWait is how often, in milliseconds, a waiting Read looks whether it was closed.
const keyWait = 100

// Read waits for a key.
func (k *keys) Read(p []byte) (int, error) {
	for len(k.rest) == 0 {
		select {
		case <-k.closed:
			return 0, io.EOF
		default:
		}
		event, err := windows.WaitForSingleObject(k.console, keyWait)
		if err != nil {
			return 0, err
		}
		if event == uint32(windows.WAIT_TIMEOUT) {
			continue
		}
		var units [256]uint16
		var n uint32
		if err := windows.ReadConsole(k.console, &units[0], uint32(len(units)), &n, nil); err != nil {
			return 0, err
		}
		k.rest = k.decode(k.rest, units[:n])
	}
	n := copy(p, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}

// decode appends UTF-16 as UTF-8; a pair of surrogates may come in two reads.
func (k *keys) decode(to []byte, units []uint16) []byte {
	for _, u := range units {
		switch {
		case k.half != 0:
			to = utf8.AppendRune(to, utf16.DecodeRune(rune(k.half), rune(u)))
			k.half = 0
		case u >= 0xD800 && u < 0xDC00:
			k.half = u
		default:
			to = utf8.AppendRune(to, rune(u))
		}
	}
	return to
}

// end stops a Read that waits, and waits for its goroutine.
func (k *keys) end(done <-chan struct{}) {
	close(k.closed)
	select {
	case <-done:
	case <-time.After(pumpEnd):
	}
}

// sizeWait is how often the window's size is looked at: a console has no signal for it.
const sizeWait = 250 * time.Millisecond

// watchSize calls changed for every new size of the window.
func watchSize(o TerminalOptions, changed func(size)) (stop func()) {
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		last := windowSize(o)
		tick := time.NewTicker(sizeWait)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if now := windowSize(o); now != last {
					last = now
					changed(now)
				}
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-done
	}
}
