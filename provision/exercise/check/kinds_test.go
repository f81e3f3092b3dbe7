package check

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"mvdan.cc/sh/v3/syntax"

	"podium/provision/wording"
)

var no = new(bool)

// one puts a kind into a check.
func one(k Kind) *Check {
	c := &Check{Name: "x"}
	v := reflect.ValueOf(c).Elem()
	if s, ok := k.(Script); ok {
		c.Script, c.Body = "x.sh", s.Text
		return c
	}
	for i := range v.NumField() {
		if v.Field(i).Type() == reflect.TypeOf(k) {
			v.Field(i).Set(reflect.ValueOf(k))
		}
	}
	return c
}

type sample struct {
	kind Kind
	set  func(*Check)
}

// everyKind is one of each kind.
func everyKind() []sample {
	var all []sample
	seen := map[reflect.Type]bool{}
	for _, c := range cases() {
		if t := reflect.TypeOf(c.kind); !seen[t] {
			seen[t] = true
			all = append(all, sample{c.kind, func(to *Check) { *to = *one(c.kind) }})
		}
	}
	return all
}

type judged struct {
	name  string
	kind  Kind
	facts Facts
	want  Result
	why   string // what the sentence contains
}

func said(text string) Facts { return Facts{Out: []byte(text)} }

func failed(code int, err string) Facts { return Facts{Code: code, Err: err} }

// dnsAnswer is a server's answer with these addresses.
func dnsAnswer(addresses ...[4]byte) Facts {
	name := dnsmessage.MustNewName("web.")
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true}, Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET}, Body: &dnsmessage.CNAMEResource{CNAME: name}})
	for _, a := range addresses {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET}, Body: &dnsmessage.AResource{A: a}})
	}
	packet, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return said(base64.StdEncoding.EncodeToString(packet))
}

const (
	processes = "root                             systemd          /sbin/init\nwww-data                         nginx            nginx: worker process\nwww-data                         nginx            nginx: worker process\n"
	listeners = "LISTEN 0 511 0.0.0.0:8080 0.0.0.0:* users:((\"nginx\",pid=7,fd=6))\nLISTEN 0 128 [::1]:53 [::]:*\nLISTEN 0 5 127.0.0.53%lo:5353 0.0.0.0:*\n"
	container = `[{"State":{"Status":"running","Health":{"Status":"starting"}},"Config":{"Image":"nginx:1"},"HostConfig":{"Memory":134217728,"RestartPolicy":{"Name":"no"}},
		"NetworkSettings":{"Networks":{"my.net":{}},"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"443/tcp":null}}}]`
	deployment = `{"kind":"Deployment","metadata":{"name":"web","generation":2},"spec":{"replicas":3,"template":{"spec":{"containers":[{"image":"nginx:1"},{"image":"side:2"}]}}},
		"status":{"observedGeneration":2,"replicas":3,"updatedReplicas":3,"readyReplicas":2}}`
	rollout = `{"kind":"Deployment","metadata":{"name":"web","generation":3},"status":{"observedGeneration":3,"replicas":4,"updatedReplicas":1,"readyReplicas":3}}`
	unseen  = `{"kind":"Deployment","metadata":{"name":"web","generation":4},"status":{"observedGeneration":3,"replicas":3,"updatedReplicas":3,"readyReplicas":3}}`
	pods    = `{"kind":"List","items":[{"kind":"Pod","metadata":{"name":"a"},"status":{"conditions":[{"type":"Ready","status":"True"}]}},
		{"kind":"Pod","metadata":{"name":"b"},"status":{"conditions":[{"type":"Ready","status":"False"}]}},
		{"kind":"Pod","metadata":{"name":"c","deletionTimestamp":"2026-01-01T00:00:00Z"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}]}`
	job    = `{"kind":"Job","metadata":{"name":"j"},"status":{"conditions":[{"type":"Failed","status":"True","message":"Job has reached the specified backoff limit"}]}}`
	vector = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"instance":"w1"},"value":[1,"1"]},{"metric":{"instance":"w2"},"value":[1,"0"]}]}}`
	build  = "HTTP/1.1 200 OK\r\nX: y\r\n\r\n" + `{"number":4,"building":false,"result":"FAILURE"}`
	page   = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nServer: nginx\r\n\r\nHTTP/1.1 is what\n\nI say: hello\n"
)

func cases() []judged {
	return []judged{
		{"file", &File{Path: "/a", Mode: "0644", Owner: "root:adm", Content: &Match{Contains: "hi"}}, said("regular file|644|root|adm\nhi there\n"), Holds, ""},
		{"file missing", &File{Path: "/a"}, said("missing\n"), DoesNotHold, "/a does not exist"},
		{"file unwanted", &File{Path: "/a", Exists: no}, said("regular file|644|root|root\n"), DoesNotHold, "must not"},
		{"file absent as wanted", &File{Path: "/a", Exists: no}, said("missing\n"), Holds, ""},
		{"file mode", &File{Path: "/a", Mode: "600"}, said("regular empty file|644|root|root\n"), DoesNotHold, "the mode of /a is 0644; wanted: 600"},
		{"file owner", &File{Path: "/a", Owner: "ann"}, said("regular file|644|root|root\n"), DoesNotHold, "the owner of /a is root"},
		{"file type", &File{Path: "/a", Type: "directory"}, said("regular file|644|root|root\n"), DoesNotHold, "not a folder"},
		{"link", &File{Path: "/a", Type: "link", Content: &Match{Is: "/b"}}, said("symbolic link|777|root|root\n/b\n"), Holds, ""},
		{"not a link", &File{Path: "/a", Type: "link"}, said("other\n"), DoesNotHold, "symbolic link"},
		{"file nonsense", &File{Path: "/a"}, said("?"), DidNotRun, "understood"},
		{"service", &Service{Unit: "docker"}, said("LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n"), Holds, ""},
		{"service dead", &Service{Unit: "docker"}, said("LoadState=loaded\nActiveState=failed\nSubState=failed\n"), DoesNotHold, "failed (failed)"},
		{"service unknown", &Service{Unit: "dokcer"}, said("LoadState=not-found\nActiveState=inactive\n"), DoesNotHold, "no unit dokcer"},
		{"service not to run", &Service{Unit: "x", Active: no}, said("LoadState=not-found\nActiveState=inactive\n"), Holds, ""},
		{"service not enabled", &Service{Unit: "x", Enabled: new(true)}, said("LoadState=loaded\nActiveState=active\nUnitFileState=disabled\n"), DoesNotHold, "does not start"},
		{"service without systemd", &Service{Unit: "x"}, failed(127, "bash: systemctl: command not found"), DidNotRun, "systemctl"},
		{"process", &Process{Name: "nginx", User: "www-data", Count: "2"}, said(processes), Holds, ""},
		{"process count", &Process{Matches: "^nginx: worker", Count: "3"}, said(processes), DoesNotHold, "2 processes"},
		{"process missing", &Process{Name: "redis"}, said(processes), DoesNotHold, "no process redis"},
		{"process unwanted", &Process{Name: "nginx", Running: no}, said(processes), DoesNotHold, "none must"},
		{"port", &Port{Port: "8080", Address: "0.0.0.0", Process: "nginx"}, said(listeners), Holds, ""},
		{"port elsewhere", &Port{Port: "53", Address: "0.0.0.0"}, said(listeners), DoesNotHold, "open on ::1"},
		{"port with an interface", &Port{Port: "5353", Address: "127.0.0.53"}, said(listeners), Holds, ""},
		{"port closed", &Port{Port: "80"}, said(listeners), DoesNotHold, "nothing listens on port 80"},
		{"port unwanted", &Port{Port: "8080", Open: no}, said(listeners), DoesNotHold, "must"},
		{"port of another", &Port{Port: "8080", Process: "ngin"}, said(listeners), DoesNotHold, "not ngin"},
		{"package", &Package{Name: "nginx", Version: &Match{Matches: "^1"}}, said("installed 1.2\n"), Holds, ""},
		{"package missing", &Package{Name: "nginx"}, said("not-installed\n"), DoesNotHold, "not installed"},
		{"package removed", &Package{Name: "nginx"}, said("config-files 1.2\n"), DoesNotHold, "not installed"},
		{"package unwanted", &Package{Name: "nginx", Installed: no}, said("installed 1.2\n"), DoesNotHold, "1.2"},
		{"user", &User{Name: "ann", Groups: []string{"docker"}, UID: "1001"}, said("ann:x:1001:1001::/home/ann:/bin/bash\nann docker\n"), Holds, ""},
		{"user group", &User{Name: "ann", Groups: []string{"sudo"}}, said("ann:x:1001:1001::/home/ann:/bin/bash\nann docker\n"), DoesNotHold, "not in the group sudo"},
		{"user missing", &User{Name: "ann"}, said("missing\n"), DoesNotHold, "no account ann"},
		{"mount", &Mount{Path: "/a b", Type: "ext4", Options: []string{"ro"}}, said("x /a\\040b tmpfs rw 0 0\n/dev/sdb /a\\040b ext4 ro,relatime 0 0\n"), Holds, ""},
		{"mount option", &Mount{Path: "/a", Options: []string{"ro"}}, said("/dev/sdb /a ext4 rw 0 0\n"), DoesNotHold, "option ro"},
		{"mount missing", &Mount{Path: "/a"}, said(""), DoesNotHold, "nothing is mounted"},
		{"sysctl", &Sysctl{Key: "net.ipv4.ip_forward", Value: &Match{Is: "1"}}, said("1\n"), Holds, ""},
		{"sysctl differs", &Sysctl{Key: "net.ipv4.ip_forward", Value: &Match{Is: "1"}}, said("0\n"), DoesNotHold, "net.ipv4.ip_forward is 0; wanted: 1"},
		{"command", &Command{Run: "x", Exit: "3", Output: &Match{Min: "2"}}, Facts{Code: 3, Out: []byte("2\n")}, Holds, ""},
		{"command not found", &Command{Run: "x"}, Facts{Code: 127, Out: []byte("x: command not found\n")}, DoesNotHold, "command not found"},
		{"command too slow", &Command{Run: "x"}, failed(124, ""), DidNotRun, "within 10s"},
		{"command number", &Command{Run: "x", Output: &Match{Max: "2"}}, said("many"), DoesNotHold, "not a number"},
		{"http", &HTTP{URL: "http://a/", Body: &Match{Contains: "hello"}, Header: &Match{Contains: "nginx"}}, said(page), Holds, ""},
		{"http status", &HTTP{URL: "http://a/", Status: "404"}, said(page), DoesNotHold, "status 200; wanted: 404"},
		{"http refused", &HTTP{URL: "http://a/"}, failed(7, "curl: (7) Failed to connect: Connection refused"), DoesNotHold, "refused"},
		{"http silent as wanted", &HTTP{URL: "http://a/", Status: "none"}, failed(7, "curl: (7)"), Holds, ""},
		{"http no curl", &HTTP{URL: "http://a/"}, failed(127, "curl: command not found"), DidNotRun, "curl"},
		{"http no Service", &HTTP{URL: "http://web.default.svc"}, said("no-service\n"), DoesNotHold, "Service"},
		{"reach", &Reach{Host: "w1", Port: "22"}, said("open\n"), Holds, ""},
		{"reach closed", &Reach{Host: "w1", Port: "22"}, said("closed\n"), DoesNotHold, "w1:22 does not answer"},
		{"dns", &DNS{Name: "web"}, said("10.0.0.1\n"), Holds, ""},
		{"dns unknown", &DNS{Name: "web"}, said(""), DoesNotHold, "no address"},
		{"dns of a server", &DNS{Name: "web", Server: "10.96.0.10", Address: &Match{Is: "10.0.0.1 10.0.0.2"}}, dnsAnswer([4]byte{10, 0, 0, 2}, [4]byte{10, 0, 0, 1}), Holds, ""},
		{"dns count", &DNS{Name: "web", Server: "10.96.0.10", Count: "3"}, dnsAnswer([4]byte{10, 0, 0, 2}), DoesNotHold, "1 addresses"},
		{"dns unwanted", &DNS{Name: "web", Server: "10.96.0.10", Exists: no}, dnsAnswer(), Holds, ""},
		{"dns silent", &DNS{Name: "web", Server: "10.96.0.10", Exists: no}, said(""), DoesNotHold, "does not answer"},
		{"container", &Container{Name: "web", Image: &Match{Contains: "nginx"}, Published: "8080", Network: "my.net", Field: ".HostConfig.Memory", Value: &Match{Max: "134217728"}}, said(container), Holds, ""},
		{"container missing", &Container{Name: "web"}, failed(1, "Error response from daemon: No such container: web"), DoesNotHold, "no container web"},
		{"container absent", &Container{Name: "web", State: "absent"}, failed(1, "Error: No such container: web"), Holds, ""},
		{"container port", &Container{Name: "web", Published: "8081"}, said(container), DoesNotHold, "8081"},
		{"container state", &Container{Name: "web", State: "exited"}, said(container), DoesNotHold, "is running; wanted: exited"},
		{"container health", &Container{Name: "web", Health: "healthy"}, said(container), DoesNotHold, "starting"},
		{"container field", &Container{Name: "web", Field: ".HostConfig.RestartPolicy.Name", Value: &Match{Is: "always"}}, said(container), DoesNotHold, ".HostConfig.RestartPolicy.Name of web is no; wanted: always"},
		{"docker away", &Container{Name: "web", State: "absent"}, failed(1, "Cannot connect to the Docker daemon"), DidNotRun, "daemon"},
		{"image", &Image{Name: "mine:1"}, said(`[{"Config":{}}]`), Holds, ""},
		{"image missing", &Image{Name: "mine:1"}, failed(1, "Error: No such image: mine:1"), DoesNotHold, "no image mine:1"},
		{"kube not ready", &Kube{Object: "deployment/web", Ready: "3"}, said(deployment), DoesNotHold, "2 ready; wanted: 3"},
		{"kube fields", &Kube{Object: "deployment/web", Field: ".spec.template.spec.containers[*].image", Value: &Match{Is: "nginx:1 side:2"}}, said(deployment), Holds, ""},
		{"kube field of a list's member", &Kube{Object: "deployment/web", Field: "{.spec.template.spec.containers[1].image}", Value: &Match{Is: "side:2"}}, said(deployment), Holds, ""},
		{"kube rollout", &Kube{Object: "deployment/web", Ready: "3"}, said(rollout), DoesNotHold, "older version"},
		{"kube change not seen", &Kube{Object: "deployment/web", Ready: "3"}, said(unseen), DoesNotHold, "latest change"},
		{"kube pods", &Kube{Object: "pods", Count: "2", Ready: "1"}, said(pods), Holds, ""},
		{"kube pods not ready", &Kube{Object: "pods", Ready: "2"}, said(pods), DoesNotHold, "1 ready"},
		{"kube empty list", &Kube{Object: "pods", Field: ".metadata.name", Value: &Match{Lacks: "x"}}, said(`{"kind":"List","items":[]}`), DoesNotHold, "there are no pods"},
		{"kube empty list wanted", &Kube{Object: "pods", Count: "0"}, said(`{"kind":"List","items":[]}`), Holds, ""},
		{"kube missing", &Kube{Object: "deployment/web"}, failed(1, `Error from server (NotFound): deployments.apps "web" not found`), DoesNotHold, "deployment/web does not exist"},
		{"kube gone as wanted", &Kube{Object: "deployment/web", Exists: no}, failed(1, `Error from server (NotFound): deployments.apps "web" not found`), Holds, ""},
		{"kube job", &Kube{Object: "job/j", Ready: "1"}, said(job), CannotHold, "backoff limit"},
		{"kube API away", &Kube{Object: "deployment/web"}, failed(1, "The connection to the server 192.168.56.10:6443 was refused"), DidNotRun, "refused"},
		{"kube API away, nothing wanted", &Kube{Object: "deployment/web", Exists: no}, failed(1, "The connection to the server 192.168.56.10:6443 was refused"), DidNotRun, "refused"},
		{"kube on a worker", &Kube{Object: "deployment/web"}, failed(90, ""), DidNotRun, "control plane"},
		{"promql", &PromQL{Query: "up", Value: &Match{Is: "1"}}, said(vector), DoesNotHold, "up is 0; wanted: 1"},
		{"promql count", &PromQL{Query: "up", Count: "2"}, said(vector), Holds, ""},
		{"promql empty", &PromQL{Query: "up", Value: &Match{Is: "1"}}, said(`{"status":"success","data":{"resultType":"vector","result":[]}}`), DoesNotHold, "no sample"},
		{"promql wrong", &PromQL{Query: "up", Count: "0"}, said(`{"status":"error","error":"parse error"}`), DidNotRun, "parse error"},
		{"jenkins", &Jenkins{Job: "shop"}, said(build), DoesNotHold, "build 4 of shop ended with FAILURE; wanted: SUCCESS"},
		{"jenkins failure wanted", &Jenkins{Job: "shop", Result: "FAILURE", Builds: "4"}, said(build), Holds, ""},
		{"jenkins later build", &Jenkins{Job: "shop", Result: "any", Builds: "5"}, said(build), DoesNotHold, "5 or later"},
		{"jenkins no job", &Jenkins{Job: "shop"}, said("HTTP/1.1 404 Not Found\r\n\r\n"), DoesNotHold, "no job shop"},
		{"jenkins login", &Jenkins{Job: "shop"}, said("HTTP/1.1 401 Unauthorized\r\n\r\n"), DidNotRun, "401"},
		{"answer not given", &Answer{Is: "x"}, said(""), DoesNotHold, "not answered"},
		{"script", Script{}, said("fine\n"), Holds, ""},
		{"script no", Script{}, Facts{Code: 1, Out: []byte("debug\ntoo few pods|파드가 부족합니다\n")}, DoesNotHold, "too few pods"},
		{"script not yet", Script{}, Facts{Code: 75, Out: []byte("soon\n")}, NotYet, "soon"},
		{"script never", Script{}, Facts{Code: 78, Out: []byte("gone\n")}, CannotHold, "gone"},
		{"script syntax", Script{}, failed(2, "line 3: syntax error near `fi'"), DidNotRun, "syntax error"},
	}
}

func TestJudge(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			if faults := c.kind.Faults(); len(faults) > 0 {
				t.Fatal(faults)
			}
			v := one(c.kind).Decide(c.facts)
			why := v.Why.In(wording.English)
			if v.Result != c.want || !strings.Contains(why, c.why) || (why == "") != (v.Result == Holds) {
				t.Errorf("got %s: %s", v.Result, why)
			}
			if ko := v.Why.In(wording.Korean); strings.Contains(ko, "{") || v.Result != Holds && ko == why && v.Why.ID() != "" {
				t.Errorf("Korean: %s", ko)
			}
		})
	}
}

// TestEveryKindIsTested also looks that probes are bash, and change nothing by a redirection into a file.
func TestEveryKindIsTested(t *testing.T) {
	if got, want := len(everyKind()), len(KindNames()); got != want {
		t.Errorf("%d of %d kinds are tested", got, want)
	}
	for _, c := range cases() {
		if _, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(c.kind.Probe()), ""); err != nil {
			t.Errorf("%s: %v\n%s", c.name, err, c.kind.Probe())
		}
	}
}

func TestGrade(t *testing.T) {
	for _, c := range []struct {
		answer Answer
		given  string
		facts  Facts
		want   Result
	}{
		{Answer{Is: "ReplicaSet"}, " replicaset ", Facts{}, Holds},
		{Answer{Is: "ReplicaSet"}, "deployment", Facts{}, DoesNotHold},
		{Answer{Any: []string{"rs", "replica set"}}, "Replica  Set", Facts{}, Holds},
		{Answer{Min: "2", Max: "4"}, "3", Facts{}, Holds},
		{Answer{Min: "2", Max: "4"}, "5", Facts{}, DoesNotHold},
		{Answer{Min: "2"}, "many", Facts{}, DoesNotHold},
		{Answer{Matches: "^a+$"}, "aaa", Facts{}, Holds},
		{Answer{Run: "uname -r"}, "6.1.0", said("6.1.0\n"), Holds},
		{Answer{Run: "true"}, "", said(""), DoesNotHold},
		{Answer{Run: "true"}, "x", said(""), DoesNotHold},
		{Answer{Run: "false"}, "x", failed(1, "bad"), DidNotRun},
	} {
		if v := c.answer.Grade(c.given, c.facts); v.Result != c.want || strings.Contains(v.Why.In(wording.English), string(c.answer.Is)) && c.answer.Is != "" {
			t.Errorf("%+v, %q: %s", c.answer, c.given, v.Result)
		}
	}
}
