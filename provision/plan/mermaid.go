package plan

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Mermaid writes the plan as a flowchart that Markdown viewers draw, one box per machine. With reasons (nil: none),
// what is done already is grey. Source of the syntax: https://mermaid.js.org/syntax/flowchart.html.
func (p Plan) Mermaid(w io.Writer, reasons map[TaskID]string) error {
	out := bufio.NewWriter(w)
	ids := make(map[TaskID]string, len(p.Tasks))
	for i, t := range p.Tasks {
		ids[t.ID] = fmt.Sprintf("t%d", i) // names could be words that mermaid keeps for itself, such as end
	}
	fmt.Fprintln(out, "flowchart LR")
	for i, m := range p.Machines {
		fmt.Fprintf(out, "  subgraph m%d[%s]\n", i, label(m.Name+" "+m.Address.String()))
		for _, t := range p.Tasks {
			if t.Node != m.Name {
				continue
			}
			name := t.Step
			if reasons[t.ID] != "" {
				name += ": " + reasons[t.ID]
			}
			fmt.Fprintf(out, "    %s[%s]\n", ids[t.ID], label(name))
		}
		fmt.Fprintln(out, "  end")
	}
	var done []string
	for _, t := range p.Tasks {
		for _, before := range t.After {
			fmt.Fprintf(out, "  %s --> %s\n", ids[before], ids[t.ID])
		}
		if reasons != nil && reasons[t.ID] == "" {
			done = append(done, ids[t.ID])
		}
	}
	if len(done) > 0 {
		fmt.Fprintf(out, "  classDef done fill:#eee,stroke:#bbb,color:#888\n  class %s done\n", strings.Join(done, ","))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the plan as a flowchart: %w", err)
	}
	return nil
}

// label is text as mermaid takes it in a label: quotes, brackets and the like as entity codes.
func label(text string) string {
	return `"` + strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;", "\n", " ").Replace(text) + `"`
}
