package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"podium/provision/report"
)

// style is how things are drawn: colour and the characters that the terminal has.
type style struct {
	color               bool
	spinner             []string
	full, empty         string
	ok, bad, wait, more string
	dot                 string
}

// newLook chooses by what the screen can show.
func newLook(s screen) style {
	l := style{color: s.color}
	if s.unicode {
		l.spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}
		l.full, l.empty = "━", "─"
		l.ok, l.bad, l.wait, l.more, l.dot = "✓", "✗", "·", "…", "·"
		return l
	}
	l.spinner = []string{"|", "/", "-", `\`}
	l.full, l.empty = "#", "."
	l.ok, l.bad, l.wait, l.more, l.dot = "+", "x", ".", "~", "-"
	return l
}

func (l style) paint(s ansi.Style, text string) string {
	if !l.color || text == "" {
		return text
	}
	return s.Styled(text)
}

func (l style) bold(s string) string  { return l.paint(ansi.NewStyle().Bold(), s) }
func (l style) faint(s string) string { return l.paint(ansi.NewStyle().Faint(), s) }
func (l style) green(s string) string { return l.paint(ansi.NewStyle().ForegroundColor(ansi.Green), s) }
func (l style) red(s string) string   { return l.paint(ansi.NewStyle().ForegroundColor(ansi.Red), s) }
func (l style) yellow(s string) string {
	return l.paint(ansi.NewStyle().ForegroundColor(ansi.Yellow), s)
}
func (l style) cyan(s string) string { return l.paint(ansi.NewStyle().ForegroundColor(ansi.Cyan), s) }

// wrap breaks lines that are wider than the terminal, as the terminal would, so that the lines can be counted.
func (l style) wrap(text string, width int) string {
	if width <= 0 {
		return text
	}
	return ansi.Wrap(text, width, "")
}

// draw is the picture: a head, a row for each node, a foot. Its height changes only with the window, since terminals
// flicker when it does.
func (m liveModel) draw() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []string
	lines = append(lines, m.head())
	shown, hidden := m.choose(m.height - 4)
	width := nameWidth(shown)
	for _, r := range shown {
		lines = append(lines, m.drawRow(r, width))
	}
	if len(hidden) > 0 {
		lines = append(lines, "  "+m.look.faint(m.look.more+" "+tally(hidden)))
	}
	lines = append(lines, m.foot())
	for i, line := range lines {
		// The last column stays free: a full one makes some terminals wrap.
		lines[i] = ansi.Truncate(line, max(m.width-1, 1), m.look.more)
	}
	return strings.Join(lines, "\n")
}

func (m liveModel) head() string {
	s := fmt.Sprintf("%s  %d of %d steps  %s", m.look.bold(m.title), m.done, m.steps, clockTime(m.now.Sub(m.started)))
	if m.failed > 0 {
		s += "  " + m.look.red(fmt.Sprintf("%d failed", m.failed))
	}
	return s
}

// noticeTime is how long a notice stays in the foot.
const noticeTime = 5 * time.Second

func (m liveModel) foot() string {
	if m.stopping {
		return m.look.yellow("stopping; press Ctrl-C again to leave at once")
	}
	if m.notice != "" && m.now.Sub(m.noticed) < noticeTime {
		return m.look.faint(m.notice)
	}
	return m.look.faint("Ctrl-C stops and keeps what is done")
}

// choose takes the rows that fit: all, or those that matter most, in the lab's order.
func (m liveModel) choose(room int) (shown, hidden []*row) {
	room = max(room, 1)
	if len(m.rows) <= room {
		return m.rows, nil
	}
	room = max(room-1, 1) // one line tells about the hidden
	take := map[*row]bool{}
	for _, wanted := range []func(*row) bool{
		func(r *row) bool { return len(r.running) > 0 },
		func(r *row) bool { return r.failed != "" },
		func(r *row) bool { return r.done < r.steps },
		func(*row) bool { return true },
	} {
		for _, r := range m.rows {
			if len(take) < room && wanted(r) {
				take[r] = true
			}
		}
	}
	for _, r := range m.rows {
		if take[r] {
			shown = append(shown, r)
		} else {
			hidden = append(hidden, r)
		}
	}
	return shown, hidden
}

// tally sums up rows that have no room.
func tally(rows []*row) string {
	var running, failed, waiting, done int
	for _, r := range rows {
		switch {
		case r.failed != "":
			failed++
		case len(r.running) > 0:
			running++
		case r.done < r.steps:
			waiting++
		default:
			done++
		}
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{running, "at work"}, {failed, "failed"}, {waiting, "waiting"}, {done, "done"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return fmt.Sprintf("%d more nodes: %s", len(rows), strings.Join(parts, ", "))
}

func nameWidth(rows []*row) int {
	width := 0
	for _, r := range rows {
		width = max(width, ansi.StringWidth(r.node))
	}
	return min(width, 24)
}

const barWidth = 12

// drawRow is one node: mark, name, bar, count, what it does.
func (m liveModel) drawRow(r *row, width int) string {
	l := m.look
	name := ansi.Truncate(r.node, width, l.more)
	name += strings.Repeat(" ", width-ansi.StringWidth(name))
	return fmt.Sprintf("%s %s  %s %5s  %s", m.mark(r), name, m.bar(r), fmt.Sprintf("%d/%d", r.done, r.steps), m.doing(r))
}

func (m liveModel) mark(r *row) string {
	l := m.look
	switch {
	case r.failed != "":
		return l.red(l.bad)
	case len(r.running) > 0:
		return l.cyan(l.spinner[m.tick%len(l.spinner)])
	case r.steps > 0 && r.done >= r.steps:
		return l.green(l.ok)
	}
	return l.faint(l.wait)
}

func (m liveModel) bar(r *row) string {
	l := m.look
	full := barWidth
	if r.steps > 0 {
		full = min(barWidth*r.done/r.steps, barWidth)
	}
	paint := l.green
	if r.failed != "" {
		paint = l.red
	}
	return paint(strings.Repeat(l.full, full)) + l.faint(strings.Repeat(l.empty, barWidth-full))
}

func (m liveModel) doing(r *row) string {
	l := m.look
	switch {
	case len(r.running) > 0:
		t := r.running[0]
		s := fmt.Sprintf("%s %s", t.step, clockTime(m.now.Sub(t.started)))
		if t.retry {
			s += l.yellow(" waits to try again")
		}
		if more := len(r.running) - 1; more > 0 {
			s += fmt.Sprintf(" +%d", more)
		}
		if r.last != "" {
			s += "  " + l.faint(r.last)
		}
		return s
	case r.failed != "":
		return l.red(r.failed+" failed") + "  " + l.faint(r.why)
	case r.steps > 0 && r.done >= r.steps:
		s := "done before"
		if r.spent > 0 {
			s = "done at " + report.Duration(r.spent)
		}
		if r.last != "" {
			s += ", " + r.last // such as halted, while the first good state is kept
		}
		return l.faint(s)
	case r.blocked > 0 && r.done+r.blocked >= r.steps:
		return l.faint("not finished: waits for what failed elsewhere")
	}
	return l.faint("waiting")
}

// clockTime writes whole seconds: 0:07, 12:34, 1:02:03.
func clockTime(d time.Duration) string {
	s := max(int(d.Seconds()), 0)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
