package check

import (
	_ "embed"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"podium/provision/remote"
	"podium/provision/wording"
)

//go:embed server.go
var serverSource string

// PromQL asks Prometheus. Each sample of the answer has to be as wanted, and there has to be one.
type PromQL struct {
	Query string `yaml:"query" jsonschema:"required"` // such as up{job="node"}
	Value *Match `yaml:"value,omitempty"`             // what each sample is
	Count Value  `yaml:"count,omitempty"`             // how many samples there are; 0: none may be there
	URL   string `yaml:"url,omitempty"`               // of Prometheus, as the node reaches it; without it, http://localhost:9090
}

// Faults checks the fields.
func (p *PromQL) Faults() []Fault {
	all := append(missing("query", p.Query, "up"), p.Value.faults("value")...)
	all = append(all, whole("count", p.Count, 0, 100000)...)
	if p.Value == nil && p.Count == "" {
		all = append(all, Fault{"value", "", "is missing: write what each sample is, such as {is: 1}, or count"})
	}
	return append(all, serverURL(p.URL)...)
}

func serverURL(text string) []Fault {
	if u, err := url.Parse(text); text != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https") {
		return []Fault{{"url", text, "is not a URL: write one such as http://localhost:9090"}}
	}
	return nil
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return strings.TrimRight(text, "/")
}

// Probe asks once.
func (p *PromQL) Probe() string {
	return remote.Quote("curl", "-sS", "--max-time", "5", "--noproxy", "*", "-G", "--data-urlencode", "query="+p.Query,
		"--", orElse(p.URL, "http://localhost:9090")+"/api/v1/query")
}

// Judge compares.
func (p *PromQL) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	is := gjson.ParseBytes(facts.Out)
	if !gjson.ValidBytes(facts.Out) || is.Get("status").String() != "success" {
		return broken("promql-refused", orElse(is.Get("error").String(), lastLine(facts.text())))
	}
	var samples []string
	switch result := is.Get("data.result"); is.Get("data.resultType").String() {
	case "scalar", "string":
		samples = []string{result.Get("1").String()}
	case "vector":
		for _, r := range result.Array() {
			samples = append(samples, r.Get("value.1").String())
		}
	default:
		return broken("promql-refused", "a range of values: ask for one moment")
	}
	switch {
	case p.Count != "" && len(samples) != p.Count.number():
		return fails("promql-count", p.Query, len(samples), p.Count)
	case len(samples) == 0 && p.Count == "":
		return fails("promql-empty", p.Query)
	}
	for _, s := range samples {
		if v, ok := p.Value.judge(wording.Say("just", p.Query), s); !ok {
			return v
		}
	}
	return holds()
}

// Jenkins asks for the last build of a job.
type Jenkins struct {
	Job    string `yaml:"job" jsonschema:"required"` // its name; with folders or branches FOLDER/NAME
	Result string `yaml:"result,omitempty"`          // SUCCESS, UNSTABLE, FAILURE, ABORTED or any; without it, SUCCESS
	Builds Value  `yaml:"builds,omitempty"`          // the last build's number, that or more
	URL    string `yaml:"url,omitempty"`             // of Jenkins, as the node reaches it; without it, http://localhost:8080
	Field  string `yaml:"field,omitempty"`           // field of the build's JSON, such as .displayName
	Value  *Match `yaml:"value,omitempty"`           // what the field holds
}

// Faults checks the fields.
func (j *Jenkins) Faults() []Fault {
	all := append(missing("job", j.Job, "shop"), whole("builds", j.Builds, 1, 1_000_000)...)
	if j.Result != "" {
		all = append(all, oneOf("result", j.Result, "SUCCESS", "UNSTABLE", "FAILURE", "ABORTED", "any")...)
	}
	return append(append(all, fieldFaults(j.Field, j.Value)...), serverURL(j.URL)...)
}

// Probe prints the status, then the build. The password goes to curl on stdin, where no list of processes shows it.
func (j *Jenkins) Probe() string {
	var path strings.Builder
	for part := range strings.SplitSeq(strings.Trim(j.Job, "/"), "/") {
		path.WriteString("/job/" + url.PathEscape(part))
	}
	return `printf 'user = "admin:%s"' "$(cat /var/lib/jenkins/podium-password)" | ` +
		remote.Quote("curl", "-sSi", "--max-time", "5", "--noproxy", "*", "--config", "-", "--", orElse(j.URL, "http://localhost:8080")+path.String()+"/lastBuild/api/json")
}

// Judge compares.
func (j *Jenkins) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	status, _, body := response(strings.ReplaceAll(string(facts.Out), "\r\n", "\n"))
	is := gjson.Parse(body)
	want := orElse(j.Result, "SUCCESS")
	switch result := is.Get("result").String(); {
	case status == 404:
		return fails("jenkins-no-build", j.Job)
	case status != 200 || !gjson.Valid(body):
		return broken("jenkins-refused", status)
	case j.Builds != "" && is.Get("number").Int() < int64(j.Builds.number()):
		return fails("jenkins-number", j.Job, is.Get("number"), j.Builds)
	case is.Get("building").Bool() && want != "any":
		return fails("jenkins-building", j.Job, is.Get("number"))
	case want != "any" && result != want:
		return fails("jenkins-result", j.Job, is.Get("number"), result, want)
	}
	return judgeField(j.Job, is, j.Field, j.Value)
}
