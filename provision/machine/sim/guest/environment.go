package guest

import "strings"

// Getenv returns a variable of the environment, "" if it is not set.
func (p *Process) Getenv(key string) string {
	v, _ := p.LookupEnv(key)
	return v
}

// LookupEnv returns a variable and whether it is set.
func (p *Process) LookupEnv(key string) (string, bool) {
	for i := len(p.Env) - 1; i >= 0; i-- {
		if k, v, ok := strings.Cut(p.Env[i], "="); ok && k == key {
			return v, true
		}
	}
	return "", false
}

// Setenv sets a variable for this process only.
func (p *Process) Setenv(key, value string) {
	env := make([]string, 0, len(p.Env)+1)
	for _, kv := range p.Env {
		if !strings.HasPrefix(kv, key+"=") {
			env = append(env, kv)
		}
	}
	p.Env = append(env, key+"="+value)
}

// Path makes a path absolute.
func (p *Process) Path(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return p.Dir + "/" + name
}
