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
