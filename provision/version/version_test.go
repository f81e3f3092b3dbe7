package version

import "testing"

func TestCompare(t *testing.T) {
	order := []string{"1.6.20", "1.6.39", "1.7", "1.7.24", "1.10", "2.0", "2.0.1", "20.10.24", "29"}
	for i, a := range order {
		for j, b := range order {
			got := Compare(a, b)
			if want := i - j; got < 0 != (want < 0) || got > 0 != (want > 0) {
				t.Errorf("Compare(%s, %s) = %d", a, b, got)
			}
		}
	}
	if Compare("edge-26.9.1", "edge-26.10.1") >= 0 {
		t.Error("an edge release of September comes after one of October")
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"1.36": "1.36", "1.36.2": "1.36.2", "v1.36": "", "1": "", "1.36.2.1": "", "1.36-rc1": "", "": "", "1.99999999999999999999": "",
	} {
		got, err := Parse(text)
		if got.String() != want || (err != nil) != (want == "") {
			t.Errorf("Parse(%q) = %v, %v, want %q", text, got, err, want)
		}
	}
}

func TestFindAndLess(t *testing.T) {
	for text, want := range map[string]string{"7.0.20r163906": "7.0.20", "VirtualBox 7.2": "7.2", "nothing": "", "": ""} {
		if got := Find(text).String(); got != want {
			t.Errorf("Find(%q) = %q, want %q", text, got, want)
		}
	}
	v := Version{7, 2, 4}
	if !v.Less(7, 2, 10) || v.Less(7, 2) || v.Less(7, 2, 4) || !v.Less(7, 3) || !Version(nil).Less(0) {
		t.Error("versions are compared wrongly")
	}
}

func TestMinor(t *testing.T) {
	for text, want := range map[string]string{"1.36.2": "1.36", "1.36": "1.36", "": ""} {
		if got := Minor(text); got != want {
			t.Errorf("Minor(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"1.36", "1.36.2", "v1.36", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(text)
		if err == nil && Find(v.String()).String() != v.String() {
			t.Errorf("Parse(%q) = %v, which is not found again", text, v)
		}
	})
}
