package remote

import "testing"

func TestEscapes(t *testing.T) {
	tests := []struct {
		keys  []string
		sent  string
		leave bool
	}{
		{[]string{"ls\r"}, "ls\r", false},
		{[]string{"~."}, "", true},
		{[]string{"ls\r", "~", ".", "more"}, "ls\r", true},
		{[]string{"cd ~.\r"}, "cd ~.\r", false},
		{[]string{"~~.\r"}, "~.\r", false},
		{[]string{"~x\r~", "/bin\r"}, "~x\r~/bin\r", false},
		{[]string{"\r~\r~."}, "\r~\r", true},
	}
	for _, test := range tests {
		e := escapes{atStart: true}
		sent, left := "", false
		for _, k := range test.keys {
			if left {
				break
			}
			var send []byte
			send, left = e.filter([]byte(k))
			sent += string(send)
		}
		if sent != test.sent || left != test.leave {
			t.Errorf("%q: sent %q, left %t", test.keys, sent, left)
		}
	}
}

// FuzzEscapes: in what pieces keys come makes no difference, and only "~." at the start of a line leaves.
func FuzzEscapes(f *testing.F) {
	f.Add("ls\r~.", 3)
	f.Add("~~.\r~x", 1)
	f.Fuzz(func(t *testing.T, keys string, cut int) {
		whole, parts := escapes{atStart: true}, escapes{atStart: true}
		sent, left := whole.filter([]byte(keys))
		cut = max(0, min(cut, len(keys)))
		first, leftFirst := parts.filter([]byte(keys[:cut]))
		got, leftPart := string(first), leftFirst
		if !leftFirst {
			var second []byte
			second, leftPart = parts.filter([]byte(keys[cut:]))
			got += string(second)
		}
		if got != string(sent) || leftPart != left {
			t.Errorf("%q cut at %d: %q, left %t; whole: %q, left %t", keys, cut, got, leftPart, sent, left)
		}
	})
}
