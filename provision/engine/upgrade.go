package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"podium/provision/lab"
	"podium/provision/state"
	"podium/provision/step"
	"podium/provision/version"
)

// ErrVersion refuses a version of Kubernetes that the lab's machines cannot be brought to.
var ErrVersion = errors.New("no way from the cluster's version to that of the description")

// upgrade looks whether the cluster of the lab has another version than its description. It gives the line that says
// what is ahead (empty: nothing), or an error that wraps ErrVersion. It goes by what the nodes reported when podium saw
// them last; where that is lost, the nodes' own steps refuse what cannot be.
func (e *Engine) upgrade(s state.State) (string, error) {
	k := e.Plan.Lab.Kubernetes
	if k == nil {
		return "", nil
	}
	var from []string // versions, the oldest first
	var planes, workers []string
	for _, m := range e.Plan.Machines {
		has := step.MemberVersion(s.Facts[m.Name])
		if has == "" || !s.Machines[m.Name].Made {
			continue
		}
		way, err := step.Upgrade(has, k.Version)
		switch {
		case err != nil:
			return "", fmt.Errorf("%w: %s has Kubernetes %w", ErrVersion, m.Name, err)
		case way == step.Stay:
			continue
		case m.HasRole(lab.RoleControlPlane):
			planes = append(planes, m.Name)
		default:
			workers = append(workers, m.Name)
		}
		from = append(from, has)
	}
	if len(from) == 0 {
		return "", nil
	}
	slices.SortFunc(from, version.Compare)
	order := strings.Join(slices.Concat(planes, workers), ", then ")
	return fmt.Sprintf("upgrade of Kubernetes %s -> %s, one node at a time: %s", strings.Join(slices.Compact(from), " and "), k.Version, order), nil
}
