package remote

import "time"

// SetFirstTry makes the first tries at a booting node so long.
func (d *Dialer) SetFirstTry(t time.Duration) { d.first = t }
