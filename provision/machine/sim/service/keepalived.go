package service

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// vrrp is keepalived.conf as far as the model reads it.
type vrrp struct {
	checks    map[string]*vrrpCheck
	instances []*vrrpInstance
}

// vrrpCheck is a vrrp_script.
type vrrpCheck struct {
	script     string
	interval   time.Duration
	weight     int
	fall, rise int
	failed     atomic.Bool
}

// vrrpInstance is a vrrp_instance.
type vrrpInstance struct {
	card      string
	priority  int
	addresses []string
	track     []string
}

// vrrpWords are the keywords that the model bears, by the block that they stand in.
func vrrpWords() map[string]string {
	return map[string]string{
		"":                  "global_defs vrrp_script vrrp_instance",
		"global_defs":       "router_id vrrp_version enable_script_security script_user vrrp_garp_master_refresh",
		"vrrp_script":       "script interval timeout weight fall rise init_fail user",
		"vrrp_instance":     "state interface virtual_router_id priority advert_int unicast_src_ip unicast_peer check_unicast_src virtual_ipaddress track_script nopreempt preempt_delay",
		"unicast_peer":      "*",
		"virtual_ipaddress": "*",
		"track_script":      "*",
	}
}

func readVRRP(text string) (*vrrp, error) {
	c := &vrrp{checks: map[string]*vrrpCheck{}}
	var blocks []string
	var check *vrrpCheck
	var instance *vrrpInstance
	for i, line := range strings.Split(text, "\n") {
		if at := strings.IndexAny(line, "#!"); at >= 0 {
			line = line[:at]
		}
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] == "}" {
			if len(blocks) == 0 {
				return nil, fmt.Errorf("(Line %d) Unexpected '}' - ignoring", i+1)
			}
			blocks = blocks[:len(blocks)-1]
			continue
		}
		block := ""
		if len(blocks) > 0 {
			block = blocks[len(blocks)-1]
		}
		if known := vrrpWords()[block]; known != "*" && !slices.Contains(strings.Fields(known), words[0]) {
			return nil, fmt.Errorf("(Line %d) Unknown keyword '%s'", i+1, words[0])
		}
		value, number := "", 0
		if len(words) > 1 {
			value = strings.Trim(words[1], `"`)
			number, _ = strconv.Atoi(value)
		}
		switch block + "." + words[0] {
		case ".vrrp_script":
			check = &vrrpCheck{interval: time.Second, fall: 1, rise: 1}
			c.checks[value] = check
		case ".vrrp_instance":
			instance = &vrrpInstance{priority: 100}
			c.instances = append(c.instances, instance)
		case "vrrp_script.script":
			check.script = value
		case "vrrp_script.interval":
			check.interval = time.Duration(max(1, number)) * time.Second
		case "vrrp_script.weight":
			check.weight = number
		case "vrrp_script.fall":
			check.fall = number
		case "vrrp_script.rise":
			check.rise = number
		case "vrrp_script.init_fail":
			check.failed.Store(true)
		case "vrrp_instance.interface":
			instance.card = value
		case "vrrp_instance.priority":
			if number < 1 || number > 255 {
				return nil, fmt.Errorf("(Line %d) Priority '%s' not valid - ignoring", i+1, value)
			}
			instance.priority = number
		}
		switch block {
		case "virtual_ipaddress":
			address, _, _ := strings.Cut(words[0], "/")
			if _, err := netip.ParseAddr(address); err != nil {
				return nil, fmt.Errorf("(Line %d) Invalid address '%s'", i+1, words[0])
			}
			instance.addresses = append(instance.addresses, address)
		case "track_script":
			instance.track = append(instance.track, words[0])
		}
		if words[len(words)-1] == "{" {
			blocks = append(blocks, words[0])
		}
	}
	if len(blocks) > 0 {
		return nil, fmt.Errorf("(Line %d) missing '}' of %s", strings.Count(text, "\n"), blocks[len(blocks)-1])
	}
	for _, in := range c.instances {
		for _, name := range in.track {
			if c.checks[name] == nil {
				return nil, fmt.Errorf("track script '%s' not found", name)
			}
		}
		if in.card == "" {
			return nil, fmt.Errorf("vrrp_instance without interface")
		}
	}
	return c, nil
}

// keepalived claims the virtual addresses of its configuration. The machines of a lab agree at once, without packets.
func keepalived(ctx context.Context, p *guest.Process) int {
	if slices.Contains(p.Args, "--version") || slices.Contains(p.Args, "-v") {
		p.Errorf("Keepalived v%s (simulated)", p.Version)
		return 0
	}
	const file = "/etc/keepalived/keepalived.conf"
	text, err := p.FS().ReadFile(vfs.Root(), file)
	if err != nil {
		p.Errorf("Unable to find configuration file %s", file)
		return 3
	}
	c, err := readVRRP(text)
	if err != nil {
		p.Errorf("%s: %v", file, err)
		return 5
	}
	if slices.Contains(p.Args, "--config-test") || slices.Contains(p.Args, "-t") {
		return 0
	}
	p.Ready()
	for _, in := range c.instances {
		for _, address := range in.addresses {
			claim := p.Kernel.Claim(address, in.priority+c.lost(in))
			defer claim.Release()
			for _, name := range in.track {
				check := c.checks[name]
				if _, err := p.Fork(nil, func(ctx context.Context, child *guest.Process) int {
					return check.watch(ctx, child, func() { claim.SetPriority(in.priority + c.lost(in)) })
				}); err != nil {
					return 1
				}
			}
		}
	}
	<-ctx.Done()
	return 0
}

// lost is what an instance's failed checks add to its priority.
func (c *vrrp) lost(in *vrrpInstance) int {
	sum := 0
	for _, name := range in.track {
		if c.checks[name].failed.Load() {
			sum += c.checks[name].weight
		}
	}
	return sum
}

// watch runs the check's script each interval.
func (v *vrrpCheck) watch(ctx context.Context, p *guest.Process, changed func()) int {
	tick := time.NewTicker(v.interval)
	defer tick.Stop()
	for alike := 0; ; {
		if failed := p.Spawn([]string{v.script}, nil) != 0; failed == v.failed.Load() {
			alike = 0
		} else if alike++; failed && alike >= v.fall || !failed && alike >= v.rise {
			alike = 0
			v.failed.Store(failed)
			changed()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0
		}
	}
}
