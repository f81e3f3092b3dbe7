// Command demo writes an animated SVG from screens of a terminal, in the form that tmux capture-pane -p -e gives them:
// lines of text with SGR sequences. See record.sh.
package main

import (
	"fmt"
	"html"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

const (
	columns    = 96
	charWidth  = 8.4
	lineHeight = 17
	perFrame   = 0.7 // seconds; screens are taken every 2 seconds, so that the picture runs about three times as fast
	lastFrames = 8   // how many frames long the last screen stays
)

func main() {
	var frames []string
	for _, name := range os.Args[1:] {
		text, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "demo:", err)
			os.Exit(1)
		}
		if frame := strings.TrimRight(string(text), "\n "); len(frames) == 0 || frame != frames[len(frames)-1] {
			frames = append(frames, frame)
		}
	}
	if len(frames) == 0 {
		fmt.Fprintln(os.Stderr, "demo: no frames: name files with screens of a terminal")
		os.Exit(2)
	}
	write(os.Stdout, frames)
}

// write draws each frame as a group that is visible in its part of the cycle.
func write(w io.Writer, frames []string) {
	lines := 0
	for _, f := range frames {
		lines = max(lines, strings.Count(f, "\n")+1)
	}
	total := float64(len(frames)+lastFrames) * perFrame
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" font-family="ui-monospace,Consolas,Menlo,monospace" font-size="14">`,
		columns*charWidth+24, lines*lineHeight+24)
	fmt.Fprint(w, `<title>podium up of a simulated cluster of four machines</title><style>.f{visibility:hidden;animation:`+
		fmt.Sprintf("%.1fs", total)+` step-end infinite}text{fill:#d8dee9;white-space:pre}.b{font-weight:bold}.d{fill:#7b8494}.c31{fill:#e06c75}.c32{fill:#98c379}.c33{fill:#e5c07b}.c34{fill:#61afef}.c35{fill:#c678dd}.c36{fill:#56b6c2}</style>`)
	fmt.Fprint(w, `<rect width="100%" height="100%" rx="6" fill="#1e222a"/>`)
	for i, f := range frames {
		from, to := float64(i)*perFrame/total*100, float64(i+1)*perFrame/total*100
		if i == len(frames)-1 {
			to = 100
		}
		fmt.Fprintf(w, "\n<style>@keyframes k%d{0%%{visibility:hidden}%.2f%%{visibility:visible}%.2f%%{visibility:hidden}}</style>", i, from, to)
		fmt.Fprintf(w, `<g class="f" style="animation-name:k%d">`, i)
		for row, line := range strings.Split(f, "\n") {
			if strings.TrimSpace(ansi.Strip(line)) != "" {
				fmt.Fprintf(w, `<text x="12" y="%d">%s</text>`, 12+(row+1)*lineHeight-4, spans(line))
			}
		}
		fmt.Fprint(w, `</g>`)
	}
	fmt.Fprintln(w, "\n</svg>")
}

// spans turns a line with SGR sequences into text with classes.
func spans(line string) string {
	var b strings.Builder
	class := map[string]bool{}
	for _, part := range strings.Split(line, "\x1b[") {
		codes, text, found := strings.Cut(part, "m")
		if !found || strings.Trim(codes, "0123456789;") != "" {
			codes, text = "", part
		} else {
			apply(class, codes)
		}
		if text = html.EscapeString(text); text == "" {
			continue
		}
		if names := names(class); names != "" {
			fmt.Fprintf(&b, `<tspan class="%s">%s</tspan>`, names, text)
		} else {
			b.WriteString(text)
		}
	}
	return b.String()
}

func apply(class map[string]bool, codes string) {
	for _, code := range strings.Split(codes, ";") {
		switch {
		case code == "" || code == "0":
			clear(class)
		case code == "1":
			class["b"] = true
		case code == "2" || code == "90":
			class["d"] = true
		case len(code) == 2 && code[0] == '3' && code[1] >= '1' && code[1] <= '6':
			class["c"+code] = true
		case code == "22":
			delete(class, "b")
			delete(class, "d")
		case code == "39":
			for _, c := range []string{"c31", "c32", "c33", "c34", "c35", "c36", "d"} {
				delete(class, c)
			}
		}
	}
}

func names(class map[string]bool) string {
	var all []string
	for _, c := range []string{"b", "d", "c31", "c32", "c33", "c34", "c35", "c36"} {
		if class[c] {
			all = append(all, c)
		}
	}
	return strings.Join(all, " ")
}
