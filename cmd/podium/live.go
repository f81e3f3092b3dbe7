package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"podium/provision/event"
	"podium/provision/plan"
)

// frame is the time between two pictures of the live view.
const frame = 100 * time.Millisecond

// shownAfter is how long a run has to last before it is shown: what is over in a moment needs no moving picture.
const shownAfter = 150 * time.Millisecond

// liveView shows a run on a terminal, in place, below what the terminal showed before. It is a sink.
type liveView struct {
	*runTable
	program *tea.Program
	over    chan struct{} // closed when the run has ended
	shown   chan shown    // gets one value when the terminal is free again
	restore func()        // gives stderr back
}

// shown is what a view has left on the terminal.
type shown struct {
	lines int // of the last picture; 0: nothing was drawn
	err   error
}

// startLive begins to show a run. Close ends it and leaves the terminal as it was.
func (a *app) startLive(p plan.Plan, title string) *liveView {
	b := newRunTable(p, a.Now())
	m := liveModel{runTable: b, title: title, now: a.Now(), clock: a.Now, interrupt: a.interrupts.interrupt, look: newLook(a.screen)}
	v := &liveView{runTable: b, over: make(chan struct{}), shown: make(chan shown, 1)}
	v.program = tea.NewProgram(m,
		tea.WithInput(a.Stdin), tea.WithOutput(a.Stdout), tea.WithEnvironment(a.Environ),
		tea.WithoutSignalHandler(), tea.WithFPS(30))
	v.restore = a.stderr.divert(&lineBuffer{print: b.print})
	go func() { v.shown <- v.show(a) }()
	return v
}

// show runs the program, unless the run is over soon.
func (v *liveView) show(a *app) shown {
	select {
	case <-v.over:
		return shown{}
	case <-time.After(shownAfter):
	}
	leave := func() { _ = v.program.ReleaseTerminal() }
	a.interrupts.restore.Store(&leave)
	defer a.interrupts.restore.Store(nil)
	var quit sync.WaitGroup
	defer quit.Wait()
	quit.Go(func() {
		<-v.over
		v.program.Send(quitMsg{}) // returns also when the program has ended by itself
	})
	last, err := v.program.Run()
	if m, ok := last.(liveModel); ok && err == nil {
		return shown{lines: m.lines()}
	}
	return shown{err: err}
}

// Close shows the last lines, takes the view away and gives the terminal back.
func (v *liveView) Close(a *app) {
	close(v.over)
	end := <-v.shown
	if end.lines > 0 {
		// bubbletea leaves its last picture and puts the cursor in front of its last line.
		fmt.Fprint(a.stdout.raw(), "\r"+ansi.CursorUp(end.lines-1)+ansi.EraseScreenBelow)
	}
	v.restore()
	for _, l := range v.take() {
		if !l.repeated {
			fmt.Fprintln(a.stderr, l.text)
		}
	}
	if end.err != nil {
		a.log.Warn("live view ended early", "error", end.err)
	}
}

var _ event.Sink = (*liveView)(nil)

// lineBuffer prints whole lines.
type lineBuffer struct {
	mu    sync.Mutex
	rest  []byte
	print func(string)
}

// Write takes lines off what was written.
func (l *lineBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.print(string(line))
		l.rest = bytes.Clone(rest)
	}
}

// liveModel is the view as bubbletea wants it.
type liveModel struct {
	*runTable
	title         string
	now           time.Time
	clock         func() time.Time
	interrupt     func()
	width, height int
	tick          int
	stopping      bool
	look          style
}

type (
	tickMsg time.Time
	quitMsg struct{}
)

func (m liveModel) Init() tea.Cmd { return m.nextFrame() }

func (m liveModel) nextFrame() tea.Cmd {
	return tea.Tick(frame, func(time.Time) tea.Msg { return tickMsg(m.clock()) })
}

// Update moves on with time, and takes the window's size and the keys of a terminal in raw mode.
func (m liveModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tickMsg:
		m.now = time.Time(msg)
		m.tick++
		return m, tea.Sequence(m.printLines(), m.nextFrame())
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		switch msg.String() {
		case "ctrl+c":
			m.stopping = true
			interrupt := m.interrupt
			return m, func() tea.Msg { interrupt(); return nil }
		case "ctrl+z":
			return m, tea.Suspend
		}
	case quitMsg:
		return m, tea.Sequence(m.printLines(), tea.Quit)
	}
	return m, nil
}

// printLines puts waiting lines above the view, where they stay.
func (m liveModel) printLines() tea.Cmd {
	lines := m.take()
	if len(lines) == 0 {
		return nil
	}
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.text
	}
	return tea.Println(m.look.wrap(strings.Join(texts, "\n"), m.width))
}

// View draws the table.
func (m liveModel) View() tea.View {
	if m.width == 0 {
		return tea.NewView("")
	}
	return tea.NewView(m.draw())
}

// lines is the height of the picture.
func (m liveModel) lines() int {
	if m.width == 0 {
		return 0
	}
	return strings.Count(m.draw(), "\n") + 1
}
