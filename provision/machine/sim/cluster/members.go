package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
)

// etcdClients is the port for etcd's clients: of its JSON API (https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/)
// its health, the list of members, and that one goes.
type etcdClients struct{ api *apiServer }

// Serve answers a request.
func (e etcdClients) Serve(_ context.Context, r guest.Request) guest.Response {
	s := e.api.store
	s.mu.Lock()
	members, whole := slices.Clone(s.head.Members), s.quorum()
	s.mu.Unlock()
	switch {
	case r.Path == "/health" && whole:
		return guest.Response{Code: 200, Body: `{"health":"true","reason":""}`}
	case r.Path == "/health":
		return guest.Response{Code: 503, Body: `{"health":"false","reason":"RAFT NO LEADER"}`}
	case r.Method != "POST":
		return guest.Response{Code: 404, Body: "404 page not found\n"}
	case r.Path == "/v3/cluster/member/list":
		return e.list(members)
	case strings.HasPrefix(r.Path, "/v3/kv/") && !whole:
		return guest.Response{Code: 503, Body: `{"error":"etcdserver: no leader","code":14}`}
	case r.Path == "/v3/kv/put", r.Path == "/v3/kv/deleterange": // only of keys that are not the cluster's; they are not kept
		return guest.Response{Code: 200, Body: `{"header":{}}`}
	case r.Path == "/v3/cluster/member/remove" && !whole:
		return guest.Response{Code: 503, Body: `{"error":"etcdserver: no leader","code":14}`}
	case r.Path == "/v3/cluster/member/remove":
		var body struct{ ID string }
		if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
			return guest.Response{Code: 400, Body: `{"error":"invalid character","code":3}`}
		}
		for _, name := range members {
			if memberID(name) == body.ID {
				s.removeMember(name)
				return guest.Response{Code: 200, Body: `{"header":{}}`}
			}
		}
		return guest.Response{Code: 404, Body: `{"error":"etcdserver: member not found","code":5}`}
	}
	return guest.Response{Code: 404, Body: "404 page not found\n"}
}

func (e etcdClients) list(names []string) guest.Response {
	type member struct {
		ID         string   `json:"ID"`
		Name       string   `json:"name"`
		PeerURLs   []string `json:"peerURLs"`
		ClientURLs []string `json:"clientURLs"`
	}
	var all struct {
		Header struct {
			ClusterID string `json:"cluster_id"`
		} `json:"header"`
		Members []member `json:"members"`
	}
	all.Header.ClusterID = memberID("")
	for _, name := range names {
		address := e.api.addressOf(name)
		all.Members = append(all.Members, member{
			ID: memberID(name), Name: name, PeerURLs: []string{"https://" + address + ":2380"}, ClientURLs: []string{"https://" + address + ":2379"},
		})
	}
	body, err := json.Marshal(all)
	if err != nil {
		return guest.Response{Code: 500, Body: err.Error()}
	}
	return guest.Response{Code: 200, Body: string(body)}
}

// memberID is a number that is a member's own.
func memberID(name string) string {
	h := fnv.New64a()
	h.Write([]byte(name)) //nolint:errcheck // never fails
	return fmt.Sprint(h.Sum64())
}

// addressOf is where a node of the cluster is, by its object.
func (a *apiServer) addressOf(node string) string {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	for _, at := range items(a.store.get(key{"nodes", "", node}), "status", "addresses") {
		if text(at, "type") == "InternalIP" {
			return text(at, "address")
		}
	}
	return a.kernel.Machine.Hardware.Address
}
