package audit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"podium/provision/catalogue"
	"podium/provision/catalogue/openpgp"
)

// asker asks; a host that did not answer once is not asked again, so that a missing network costs one wait, not one for
// each address.
type asker struct {
	options Options
	mu      sync.Mutex
	hosts   map[string]*host
}

// host is what is known of one.
type host struct {
	answered bool
	silence  error // why it did not answer
}

// answer is a result with what it rests on.
type answer struct {
	result  Result
	host    string
	silence error // nobody answered; the result is made in the end, when it is known how it goes with the others
}

// ask asks one question.
func (a *asker) ask(ctx context.Context, q question) answer {
	done := answer{result: Result{Subject: q.subject, URL: q.url, Outcome: Good}, host: hostOf(q.url)}
	if done.silence = a.silenceOf(done.host); done.silence != nil {
		return done
	}
	for try := range 2 {
		if try > 0 && !pause(ctx, time.Second) {
			return done
		}
		var again bool
		if again, done.silence = a.once(ctx, q, &done.result); !again {
			break
		}
	}
	a.remember(done.host, done.silence)
	return done
}

// once asks once; again: it may go better another time.
func (a *asker) once(ctx context.Context, q question, r *Result) (again bool, silence error) {
	patience, method := cmp.Or(a.options.Patience, 20*time.Second), http.MethodHead
	if q.key != nil || a.reads(q) {
		method = http.MethodGet
	}
	if a.reads(q) {
		patience *= 15 // some have a hundred megabytes
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r.Outcome, r.Message = Good, ""
	response, err := a.send(ctx, method, q.url)
	if err == nil && method == http.MethodHead && slices.Contains([]int{http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusForbidden}, response.StatusCode) {
		response.Body.Close() // some answer for the file itself only
		response, err = a.send(ctx, http.MethodGet, q.url, "Range", "bytes=0-0")
	}
	if err != nil {
		return true, err
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusNotFound || code == http.StatusGone:
		r.Outcome, r.Message = Rotten, fmt.Sprintf("is gone: the server says %s", response.Status)
	case code == http.StatusRequestedRangeNotSatisfiable: // an empty file has no first byte, but it is there
	case code == http.StatusTooManyRequests || code >= 500:
		r.Outcome, r.Message = Unasked, fmt.Sprintf("the server says %s", response.Status)
		return true, nil
	case code >= 400:
		r.Outcome, r.Message = Rotten, fmt.Sprintf("is not to be had: the server says %s", response.Status)
	case q.key != nil:
		return a.readKey(response.Body, q, r)
	case a.reads(q):
		err := readFile(response.Body, q, r)
		return err != nil, err
	case q.file != nil:
		r.Outcome, r.Message = Warning, "the catalogue has no checksum of it: podium catalog check --pin FILE reads and writes it"
	}
	return false, nil
}

// reads tells whether the answer is a file to be read to its end.
func (a *asker) reads(q question) bool {
	return q.key == nil && q.file != nil && (q.file.SHA256 != "" || a.options.Pin)
}

// maxFile bounds what is read of one file.
const maxFile = 2 << 30

// readFile compares a file with its checksum, or finds out what that is.
func readFile(body io.Reader, q question, r *Result) error {
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(body, maxFile+1))
	if err != nil {
		return err
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	switch {
	case n > maxFile:
		r.Outcome, r.Message = Rotten, fmt.Sprintf("has more than %d bytes", maxFile)
	case q.file.SHA256 == "":
		found := *q.file
		found.SHA256 = sum
		r.Found, r.Message = &found, "its checksum is "+sum
	case sum != q.file.SHA256 && q.mirrored:
		r.Outcome, r.Message = Rotten, fmt.Sprintf("the mirror has another file: its checksum is %s, and not %s: machines refuse it, unless mirrors.checksums of lab.yaml says so", sum, q.file.SHA256)
	case sum != q.file.SHA256:
		r.Outcome, r.Message = Rotten, fmt.Sprintf("the file was changed: its checksum is %s, and not %s: ask its makers why", sum, q.file.SHA256)
	}
	return nil
}

// send sends a request, with names and values of headers.
func (a *asker) send(ctx context.Context, method, address string, headers ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "podium")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := a.options.Client.Do(request)
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return nil, wrapped.Err // the address stands beside it already
	}
	return response, err
}

// readKey compares a key with what the catalogue says of it.
func (a *asker) readKey(body io.Reader, q question, r *Result) (again bool, silence error) {
	text, err := io.ReadAll(io.LimitReader(body, openpgp.MaxSize+1))
	if err != nil {
		return true, err
	}
	keys, err := openpgp.ReadKeys(text)
	if err != nil {
		r.Outcome, r.Message = Rotten, fmt.Sprintf("is not a key that podium can read (a captive portal's answer?): %v", err)
		return false, nil
	}
	r.Outcome, r.Message = judge(keys, q, a.options.Now)
	return false, nil
}

// judge says what is to be thought of the keys of a file.
func judge(keys []openpgp.Key, q question, now time.Time) (Outcome, string) {
	i := slices.IndexFunc(keys, func(k openpgp.Key) bool { return k.Fingerprint == q.key.Fingerprint })
	switch {
	case i >= 0:
	case q.key.Fingerprint == "":
		return Warning, fmt.Sprintf("the catalogue has no fingerprint: %s", describe(keys))
	case q.mirrored:
		return Good, fmt.Sprintf("signed by the mirror's own key: %s", describe(keys))
	default:
		return Rotten, fmt.Sprintf("the key was changed from %s to %s: ask its owner's page whether that is right", q.key.Fingerprint, describe(keys))
	}
	k := keys[i]
	end := catalogue.Date("")
	if !k.Expires.IsZero() {
		end = catalogue.DateOf(k.Expires)
	}
	if k.Revoked {
		return Rotten, "the key was revoked"
	}
	if outcome, message := ending(end, now, "the key expires", "the key expired"); outcome != Good {
		return outcome, message
	}
	if end != q.key.Expires {
		return Warning, fmt.Sprintf("the key expires %s, and the catalogue says %s", cmp.Or(string(end), "never"), cmp.Or(string(q.key.Expires), "nothing of it"))
	}
	return Good, ""
}

// describe lists keys for people.
func describe(keys []openpgp.Key) string {
	var list []string
	for _, k := range keys {
		text := k.Fingerprint
		if !k.Expires.IsZero() {
			text += " (to " + string(catalogue.DateOf(k.Expires)) + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func (a *asker) silenceOf(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h := a.hosts[name]; h != nil && !h.answered {
		return h.silence
	}
	return nil
}

func (a *asker) remember(name string, silence error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.hosts[name]
	if h == nil {
		h = &host{}
		a.hosts[name] = h
	}
	if silence == nil {
		h.answered = true
	} else {
		h.silence = silence
	}
}

// conclude makes one result of all questions to a host that did not answer. While most hosts answer, a name that does
// not exist any more is rot; otherwise it is this computer's network.
func (a *asker) conclude(answers []*answer) []Result {
	answering := 0
	for _, h := range a.hosts {
		if h.answered {
			answering++
		}
	}
	var results []Result
	at := map[string]int{} // where a silent host's result stands
	for _, given := range answers {
		switch {
		case given == nil:
		case given.silence == nil:
			results = append(results, given.result)
		default:
			i, known := at[given.host]
			if !known {
				r := given.result
				r.Outcome, r.Message = Unasked, fmt.Sprintf("%s does not answer: %v", given.host, given.silence)
				if gone(given.silence) && 2*answering >= len(a.hosts) {
					r.Outcome, r.Message = Rotten, fmt.Sprintf("%s does not exist any more: %v", given.host, given.silence)
				}
				at[given.host] = len(results)
				results = append(results, r)
				continue
			}
			if !strings.HasSuffix(results[i].Subject, " and others") {
				results[i].Subject += " and others"
			}
		}
	}
	return results
}

// gone reports whether a name server knows no such host.
func gone(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
