package remote

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Outcome is what one call of a fan-out gave.
type Outcome[T any] struct {
	Name     string
	Value    T
	Err      error
	Duration time.Duration
}

// Each calls do for every name, at most limit at once (0: all at once), and gives the outcomes in the order of names.
// It always waits for the calls it started. Once ctx ends no further call starts, and the names not reached get
// ctx's error. A panic of do is not caught.
func Each[T any](ctx context.Context, names []string, limit int, do func(ctx context.Context, name string) (T, error)) []Outcome[T] {
	if limit <= 0 || limit > len(names) {
		limit = len(names)
	}
	outcomes := make([]Outcome[T], len(names))
	var next int
	var mu sync.Mutex
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1
	}
	var wg sync.WaitGroup
	for range limit {
		wg.Go(func() {
			for i := take(); i < len(names); i = take() {
				outcomes[i] = one(ctx, names[i], do)
			}
		})
	}
	wg.Wait()
	return outcomes
}

func one[T any](ctx context.Context, name string, do func(context.Context, string) (T, error)) Outcome[T] {
	o := Outcome[T]{Name: name}
	if ctx.Err() != nil {
		o.Err = fmt.Errorf("%s: not started: %w", name, context.Cause(ctx))
		return o
	}
	start := time.Now()
	o.Value, o.Err = do(ctx, name)
	o.Duration = time.Since(start)
	return o
}
