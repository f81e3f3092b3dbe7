package remote_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"podium/provision/remote"
)

func TestEach(t *testing.T) {
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("w%d", i))
	}
	var now, most atomic.Int32
	gate := make(chan struct{}, 1)
	out := remote.Each(t.Context(), names, 4, func(_ context.Context, name string) (int, error) {
		n := now.Add(1)
		defer now.Add(-1)
		gate <- struct{}{}
		if n > most.Load() {
			most.Store(n)
		}
		<-gate
		if name == "w7" {
			return 0, errors.New("broken")
		}
		return len(name), nil
	})
	if len(out) != len(names) || most.Load() > 4 {
		t.Fatalf("%d outcomes, %d at once", len(out), most.Load())
	}
	for i, o := range out {
		if o.Name != names[i] || (o.Err != nil) != (o.Name == "w7") || o.Err == nil && o.Value != len(o.Name) {
			t.Errorf("outcome %d: %+v", i, o)
		}
	}
	if got := remote.Each(t.Context(), nil, 0, func(context.Context, string) (int, error) { return 1, nil }); len(got) != 0 {
		t.Errorf("no names: %v", got)
	}
}

func TestEachCancelled(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	out := remote.Each(ctx, []string{"a", "b", "c"}, 1, func(_ context.Context, name string) (string, error) {
		cancel(cause)
		return name, nil
	})
	if out[0].Err != nil || out[0].Value != "a" {
		t.Errorf("first: %+v", out[0])
	}
	for _, o := range out[1:] {
		if !errors.Is(o.Err, cause) || o.Name == "" {
			t.Errorf("later: %+v", o)
		}
	}
}
