package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"podium/provision/catalogue"
	"podium/provision/catalogue/audit"
	"podium/provision/report"
)

const catalogCheckLong = `Compare the catalogue with the world: ask for every address and every signing key of all
components, or of those that are named, compare the keys' fingerprints and dates, read the files
that machines download and compare them with their checksums, and warn 90 days before a key expires
or a version gets its last fixes. Mirrors in PODIUM_MIRROR_* are asked in the place of what they
stand for, so that a classroom's mirror can be checked; proxies are taken from
HTTPS_PROXY and HTTP_PROXY.

With --pin FILE, checksums that are missing are taken from what the makers' servers give now, and
written into FILE, a catalogue.yaml of podium's source: look at what has changed, and at what the
makers say, before you keep it.

The exit code is 1 when something is rotten (an address is gone, a key was changed or has expired),
and 3 when nothing is but somebody could not be asked: this computer has no network, or not to
everywhere.`

func (a *app) catalogCheckCommand() *cobra.Command {
	f := checkFlags{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON, formatJUnit}}, timeout: 5 * time.Minute, parallel: 8}
	c := &cobra.Command{
		Use:               "check [COMPONENT...]",
		Short:             "Ask whether addresses, keys and dates are still right",
		Long:              catalogCheckLong,
		Example:           "  podium catalog check\n  podium catalog check kubernetes jenkins\n  PODIUM_MIRROR_KUBERNETES=http://10.0.0.2/k8s podium catalog check kubernetes\n  podium catalog check -o junit > catalog.xml",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeComponents,
		RunE: func(c *cobra.Command, names []string) error {
			if err := knownComponents(names); err != nil {
				return err
			}
			if f.parallel < 1 {
				return usage("--parallel %d: write a number from 1 on", f.parallel)
			}
			if f.timeout <= 0 {
				return usage("--timeout %s: write a time such as 5m", f.timeout)
			}
			if f.pin != "" && len(a.mirrorsOfSources()) > 0 {
				return usage("--pin reads the makers' own files, and PODIUM_MIRROR_* names mirrors: unset it")
			}
			return a.checkCatalog(c.Context(), names, f)
		},
	}
	a.addOutput(c, &f.output)
	c.Flags().IntVar(&f.parallel, "parallel", f.parallel, "`number` of requests at once")
	c.Flags().DurationVar(&f.timeout, "timeout", f.timeout, "`time` for all of it")
	c.Flags().StringVar(&f.pin, "pin", "", "write missing checksums into `FILE`, a catalogue.yaml")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show what is as it should be, too")
	return c
}

type checkFlags struct {
	output   outputFlag
	parallel int
	timeout  time.Duration
	verbose  bool
	pin      string // file; empty: none
}

// checkCatalog asks, shows and decides the exit code.
func (a *app) checkCatalog(ctx context.Context, names []string, f checkFlags) error {
	results, err := a.audit(ctx, names, f)
	if err == nil && f.pin != "" {
		err = a.pinFiles(results, f.pin)
	}
	if err != nil {
		return err
	}
	switch f.output.format {
	case formatJSON:
		if results == nil {
			results = []audit.Result{}
		}
		err = a.printJSON(results)
	case formatJUnit:
		err = report.AuditJUnit(a.stdout, results, a.Now())
	default:
		a.printAudit(results, f.verbose)
	}
	if err != nil {
		return err
	}
	switch {
	case audit.Count(results, audit.Rotten) > 0:
		return exitStatus(exitFailed)
	case audit.Count(results, audit.Unasked) > 0:
		return exitStatus(exitPreflight)
	}
	return nil
}

// audit runs the audit with a deadline.
func (a *app) audit(ctx context.Context, names []string, f checkFlags) ([]audit.Result, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone() // with the proxies of the environment
	defer transport.CloseIdleConnections()
	var asked, all atomic.Int64
	stop := a.showLine(func() string { return fmt.Sprintf("asked %d of %d", asked.Load(), all.Load()) })
	defer stop()
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	results := audit.Run(limited, audit.Options{
		Catalogue: catalogue.All(), Names: names, Mirrors: a.mirrorsOfSources(), Now: a.Now(),
		Client: &http.Client{Transport: transport}, Parallel: f.parallel, Pin: f.pin != "",
		Progress: func(done, total int) { asked.Store(int64(done)); all.Store(int64(total)) },
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if limited.Err() != nil {
		return nil, fail(exitFailed, "not all was asked within %s", f.timeout).hinted("give it longer with --timeout, or name components")
	}
	return results, nil
}

// pinFiles writes the checksums that were found into a catalogue.
func (a *app) pinFiles(results []audit.Result, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return usage("--pin: %w", err)
	}
	text, pinned := string(data), 0
	for _, r := range results {
		if r.Found == nil {
			continue
		}
		if text, err = catalogue.Pin(text, r.Found.Component, r.Found.Version, []catalogue.Download{r.Found.Download}); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		pinned++
	}
	if pinned > 0 {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	a.warn("%d checksums written into %s", pinned, file)
	return nil
}

// mirrorsOfSources are the mirrors of the environment, by the names that sources have for them.
func (a *app) mirrorsOfSources() map[string]string {
	mirrors := map[string]string{}
	for _, s := range catalogue.All().Sources {
		if s.Mirror != "" {
			if url := strings.TrimSpace(a.getenv("PODIUM_MIRROR_" + strings.ToUpper(s.Mirror))); url != "" {
				mirrors[s.Mirror] = url
			}
		}
	}
	return mirrors
}

// printAudit shows results to people: the worst first, and what is good only when asked. Where most hosts are silent, it is
// this computer's network, and one line says so.
func (a *app) printAudit(results []audit.Result, verbose bool) {
	answered, silent := hostsOf(results)
	offline := len(silent) > len(answered)
	for _, outcome := range []audit.Outcome{audit.Rotten, audit.Unasked, audit.Warning, audit.Good} {
		if !verbose && (outcome == audit.Good || outcome == audit.Unasked && offline) {
			continue
		}
		for _, r := range results {
			if r.Outcome == outcome {
				fmt.Fprintln(a.stdout, formatResult(r))
			}
		}
	}
	var parts []string
	for _, outcome := range []audit.Outcome{audit.Good, audit.Warning, audit.Unasked, audit.Rotten} {
		parts = append(parts, fmt.Sprintf("%d %s", audit.Count(results, outcome), outcome))
	}
	fmt.Fprintln(a.stdout, strings.Join(parts, ", "))
	if offline {
		fmt.Fprintf(a.stdout, "This computer reaches %d of the %d hosts only: it has no network, or needs a proxy (HTTPS_PROXY). Not reached: %s\n",
			len(answered), len(answered)+len(silent), strings.Join(silent, ", "))
	}
}

// formatResult is a result in one line or two.
func formatResult(r audit.Result) string {
	text := fmt.Sprintf("%-8s %s", r.Outcome, r.Subject)
	if r.Message != "" {
		text += ": " + r.Message
	}
	if r.URL != "" {
		text += "\n    " + r.URL
	}
	return text
}

// hostsOf lists the hosts that answered and those that did not.
func hostsOf(results []audit.Result) (answered, silent []string) {
	for _, r := range results {
		u, err := url.Parse(r.URL)
		switch {
		case err != nil || u.Host == "":
		case r.Outcome == audit.Unasked:
			silent = addNew(silent, u.Host)
		default:
			answered = addNew(answered, u.Host)
		}
	}
	return answered, silent
}
