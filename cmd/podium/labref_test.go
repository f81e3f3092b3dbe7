package main

import "testing"

func TestQuoteFor(t *testing.T) {
	for _, tt := range []struct{ system, path, want string }{
		{"linux", "labs/docker", "labs/docker"},
		{"linux", "my lab", "'my lab'"},
		{"linux", "it's $5", `'it'\''s $5'`},
		{"linux", "실습", "실습"},
		{"linux", "", "''"},
		{"darwin", `a\b`, `'a\b'`},
		{"windows", `C:\labs\docker`, `C:\labs\docker`},
		{"windows", `C:\my labs\docker`, `"C:\my labs\docker"`},
		{"windows", `C:\it's`, `"C:\it's"`},
	} {
		if got := quoteFor(tt.system, tt.path); got != tt.want {
			t.Errorf("%s: %q is written %s, want %s", tt.system, tt.path, got, tt.want)
		}
	}
}
