package doctor

import "fmt"

// In is the severity as a word of a language.
func (s Severity) In(language string) string {
	if language != "ko" {
		return string(s)
	}
	return map[Severity]string{Blocks: "차단", Warning: "경고", Note: "참고"}[s]
}

// Verdict is the last line of a report: whether the lab can be made. up is the command that makes it.
func Verdict(findings []Finding, need Need, up, language string) string {
	blocking := len(Blocking(findings))
	english, korean := "nothing stands in the way of labs here; for a lab of yours: podium doctor LAB",
		"여기에서 실습을 만드는 데 걸림돌이 없습니다. 특정 실습을 확인하려면: podium doctor LAB"
	switch {
	case blocking > 0:
		english = fmt.Sprintf("%d of %d findings block: no lab can be made before they are mended", blocking, len(findings))
		korean = fmt.Sprintf("문제 %d개 중 %d개가 실습을 차단합니다. 먼저 해결해야 실습을 만들 수 있습니다", len(findings), blocking)
	case len(need.Machines) > 0:
		english = fmt.Sprintf("nothing stands in the way of %s: %s", need.Lab.Name, up)
		korean = fmt.Sprintf("%s 실습을 만드는 데 걸림돌이 없습니다: %s", need.Lab.Name, up)
	}
	return in(language, english, korean)
}

// NothingToCheck says that labs of a provider ask for neither VirtualBox nor Vagrant.
func NothingToCheck(provider, language string) string {
	return in(language,
		fmt.Sprintf("nothing to check: a lab with provider %s needs neither VirtualBox nor Vagrant", provider),
		fmt.Sprintf("확인할 것이 없습니다: provider %s 실습에는 VirtualBox도 Vagrant도 필요하지 않습니다", provider))
}

func in(language, english, korean string) string {
	if language == "ko" {
		return korean
	}
	return english
}
