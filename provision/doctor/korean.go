package doctor

func korean() language {
	return language{
		code:       "ko",
		severities: map[Severity]string{Blocks: "차단", Warning: "경고", Note: "참고"},
		findings:   koreanFindings(),
		blocked:    "문제 {2}개 중 {1}개가 실습을 차단합니다. 먼저 해결해야 실습을 만들 수 있습니다",
		ready:      "{1} 실습을 만드는 데 걸림돌이 없습니다: {2}",
		fine:       "여기에서 실습을 만드는 데 걸림돌이 없습니다. 특정 실습을 확인하려면: podium doctor LAB",
		nothing:    "확인할 것이 없습니다: provider {1} 실습에는 VirtualBox도 Vagrant도 필요하지 않습니다",
	}
}

func koreanFindings() map[string]wording {
	return map[string]wording{
		"wsl": {
			title:   "podium이 WSL2 안에서 실행되고 있습니다",
			meaning: "VirtualBox는 컴퓨터의 하드웨어가 필요하므로 WSL2가 아니라 Windows에서만 실행됩니다.",
			fix:     "PowerShell이나 Windows 터미널을 열고, Windows용 VirtualBox와 Vagrant를 설치한 뒤 거기서 podium.exe를 실행하세요.",
		},
		"virtualbox-missing": {
			title:   "VirtualBox가 설치되어 있지 않습니다",
			meaning: "실습 머신은 VirtualBox가 만듭니다.",
			linux:   "배포판의 패키지나 https://www.virtualbox.org/wiki/Linux_Downloads 에서 설치하세요.",
			mac:     "brew install --cask virtualbox 또는 https://www.virtualbox.org/wiki/Downloads",
			windows: "winget install Oracle.VirtualBox 또는 https://www.virtualbox.org/wiki/Downloads 에서 설치한 뒤 터미널을 새로 여세요.",
		},
		"virtualbox-broken": {
			title:   "VBoxManage가 버전을 알려 주지 않습니다: {1}",
			meaning: "VirtualBox가 있지만 제대로 동작하지 않습니다.",
			fix:     "VirtualBox를 다시 설치하고 컴퓨터를 다시 시작하세요.",
		},
		"virtualbox-old": {
			title:   "VirtualBox {1}은(는) 오래된 버전입니다",
			meaning: "podium은 VirtualBox 7.0에서 7.2까지를 기준으로 합니다. 6.1은 동작할 수도 있지만 그 이전 버전은 동작하지 않습니다.",
			fix:     "VirtualBox와 Vagrant를 업데이트하세요: https://www.virtualbox.org/wiki/Downloads",
		},
		"kernel-module": {
			title:   "VirtualBox의 커널 모듈이 로드되지 않았습니다",
			meaning: "커널 모듈이 없으면 어떤 머신도 시작할 수 없습니다. 커널을 업데이트했거나 Secure Boot가 켜져 있으면 자주 생기는 일입니다.",
			fix:     "sudo apt install linux-headers-$(uname -r) && sudo /sbin/vboxconfig. Secure Boot를 쓰는 경우: 모듈에 서명하거나(sudo mokutil --import /var/lib/shim-signed/mok/MOK.der 후 재시작) Secure Boot를 끄세요.",
		},
		"apple-silicon": {
			title:   "Apple Silicon Mac에 VirtualBox {1}이(가) 설치되어 있습니다",
			meaning: "이 프로세서에서는 VirtualBox 7.1 이상과 arm64용 박스만 동작합니다.",
			fix:     "macOS / Apple Silicon용 VirtualBox 7.2를 설치하세요: https://www.virtualbox.org/wiki/Downloads",
		},
		"apple-silicon-box": {
			title:   "박스 {1}은(는) Apple Silicon용이 없을 수 있습니다",
			meaning: "다른 프로세서용 박스는 이 Mac에서 시작되지 않습니다.",
			fix:     "arm64용이 있는 `box: bento/ubuntu-24.04`를 쓰거나, 쓰려는 박스에 arm64용이 있는지 확인하세요.",
		},
		"vagrant-missing": {
			title:   "Vagrant가 설치되어 있지 않습니다",
			meaning: "실습 머신은 Vagrant가 부팅합니다.",
			linux:   "https://developer.hashicorp.com/vagrant/install (배포판의 패키지는 VirtualBox 7.1과 7.2에는 너무 오래된 경우가 많습니다)",
			mac:     "brew install hashicorp/tap/hashicorp-vagrant 또는 https://developer.hashicorp.com/vagrant/install",
			windows: "winget install Hashicorp.Vagrant 또는 https://developer.hashicorp.com/vagrant/install 에서 설치한 뒤 터미널을 새로 여세요.",
		},
		"vagrant-broken": {
			title:   "Vagrant가 버전을 알려 주지 않습니다: {1}",
			meaning: "Vagrant가 있지만 제대로 동작하지 않습니다.",
			fix:     "Vagrant를 다시 설치하세요. 플러그인 문제라면: vagrant plugin repair",
		},
		"pair": {
			title:   "Vagrant {2}은(는) VirtualBox {1}을(를) 모릅니다",
			meaning: "Vagrant는 자기보다 새로운 VirtualBox를 거부합니다.",
			fix:     "Vagrant를 {3} 이상으로 업데이트하세요: https://developer.hashicorp.com/vagrant/install",
		},
		"pair-unknown": {
			title:   "VirtualBox {1}은(는) podium이 아는 것보다 새 버전입니다",
			meaning: "Vagrant {2}이(가) 거부할 수 있습니다.",
			fix:     "거부하면 Vagrant를 업데이트하거나 VirtualBox 7.2를 설치하세요.",
		},
		"virtualisation-off": {
			title:   "프로세서의 가상화 기능(VT-x 또는 AMD-V)이 꺼져 있습니다",
			meaning: "64비트 머신을 시작할 수 없습니다.",
			linux:   "펌웨어 설정(컴퓨터가 켜질 때 F2, F10 또는 Del)에서 Intel VT-x 또는 AMD SVM을 켜세요. 가상 머신 안이라면 중첩 가상화를 켜세요.",
			windows: "펌웨어 설정에서 Intel VT-x 또는 AMD SVM을 켜세요: 설정, 시스템, 복구, 고급 시작 옵션, UEFI 펌웨어 설정.",
		},
		"hyper-v": {
			title:   "{1}이(가) 프로세서의 가상화 기능을 쓰고 있습니다",
			meaning: "VirtualBox가 Hyper-V 위에서 실행되어 느리고(상태 표시줄의 초록 거북이) 멈추는 머신도 있습니다.",
			fix: "관리자 권한으로: bcdedit /set hypervisorlaunchtype off. 메모리 무결성을 끄고(Windows 보안, 장치 보안, 코어 격리) 다시 시작하세요. " +
				"WSL2나 Docker Desktop을 쓸 때는 되돌리세요: bcdedit /set hypervisorlaunchtype auto",
		},
		"kvm": {
			title:   "KVM이 VT-x를 잡고 있습니다 (Linux {1}, VirtualBox {2})",
			meaning: "Linux 6.12부터 kvm 모듈은 가상화 기능을 곧바로 차지하며, 7.2.10 이전의 VirtualBox는 머신을 시작하지 못합니다(VERR_VMX_IN_VMX_ROOT_MODE).",
			fix:     "지금 바로: sudo modprobe -r kvm_intel kvm_amd kvm. 계속 적용하려면: echo 'options kvm enable_virt_at_load=0' | sudo tee /etc/modprobe.d/virtualbox-kvm.conf 후 재시작. 또는 VirtualBox를 7.2.10으로 업데이트하세요.",
		},
		"kvm-released": {
			title:   "KVM이 VT-x를 잡지 않도록 설정되어 있습니다 (Linux {1}, VirtualBox {2})",
			meaning: "7.2.10부터 VirtualBox는 가상화 기능을 KVM과 함께 쓰므로 KVM이 잡고 있어야 합니다.",
			fix:     "/etc/modprobe.d와 커널 명령줄에서 enable_virt_at_load=0을 지우고 다시 시작하세요.",
		},
		"libvirt-system": {
			title:   "libvirt는 Linux에서만 실행됩니다",
			meaning: "이 컴퓨터에서는 `provider: libvirt` 실습을 할 수 없습니다.",
			fix:     "`provider: virtualbox`를 쓰세요.",
		},
		"libvirt-missing": {
			title:   "libvirt가 설치되어 있지 않습니다",
			meaning: "실습 머신은 libvirt가 만듭니다.",
			fix:     "sudo apt install libvirt-daemon-system libvirt-clients qemu-system-x86 vagrant-libvirt",
		},
		"libvirt-refuses": {
			title:   "libvirt가 응답하지 않습니다: {1}",
			meaning: "libvirt 없이는 머신을 만들 수 없습니다.",
			fix:     "sudo systemctl enable --now libvirtd && sudo adduser $USER libvirt 후 로그아웃했다가 다시 로그인하세요.",
		},
		"libvirt-plugin": {
			title:   "Vagrant의 libvirt 플러그인이 설치되어 있지 않습니다",
			meaning: "플러그인이 없으면 Vagrant가 libvirt를 쓸 수 없습니다.",
			fix:     "sudo apt install vagrant-libvirt 또는: vagrant plugin install vagrant-libvirt",
		},
		"libvirt-slow": {
			title:   "/dev/kvm이 없습니다",
			meaning: "머신이 에뮬레이션으로 실행되어 열 배쯤 느립니다.",
			fix:     "펌웨어 설정에서 VT-x 또는 AMD-V를 켜세요. 가상 머신 안이라면 중첩 가상화를 켜세요.",
		},
		"name-taken": {
			title:   "{1}이라는 VirtualBox 머신이 이미 있습니다",
			meaning: "이 실습의 머신이 아닙니다. .podium이 지워진 실습의 것이거나 이름이 같은 다른 실습의 것입니다 ({2}).",
			fix:     "podium destroy --orphans로 지울 수 있습니다. 필요한 머신이라면 이 실습의 `name:`을 바꾸세요.",
		},
		"folder-taken": {
			title:   "{1} 폴더가 남아 있습니다",
			meaning: "VirtualBox는 머신 폴더를 새로 만들며, 이미 있으면 멈춥니다. 끝까지 지워지지 않은 머신이 남긴 폴더입니다.",
			linux:   "내용을 확인하고 필요 없으면: rm -r '{1}'",
			mac:     "내용을 확인하고 필요 없으면: rm -r '{1}'",
			windows: "내용을 확인하고 필요 없으면: Remove-Item -Recurse '{1}'",
		},
		"left-clones": {
			title:   "중단된 부팅이 남긴 머신이 있습니다: {1}",
			meaning: "공간을 차지할 뿐 해롭지는 않습니다.",
			fix:     "실행 중인 vagrant가 없다면: VBoxManage unregistervm 이름 --delete",
		},
		"range": {
			title:   "VirtualBox가 {1} 네트워크를 허용하지 않습니다",
			meaning: "호스트 전용 네트워크는 {2} 안에 있어야 합니다. /etc/vbox/networks.conf가 정하며, 그 파일이 없으면 192.168.56.0/21입니다.",
			fix:     "lab.yaml의 `network:`를 {2} 안에서 고르거나: sudo mkdir -p /etc/vbox && echo '* {1}' | sudo tee -a /etc/vbox/networks.conf",
		},
		"network-taken": {
			title:   "실습 네트워크 {1}이(가) 이 컴퓨터의 {2} ({3}) 네트워크와 겹칩니다",
			meaning: "머신으로 갈 패킷이 그 카드로 나가게 됩니다.",
			fix:     "lab.yaml의 `network:`를 192.168.57.0/24처럼 다른 것으로 바꾸세요.",
		},
		"network-routed": {
			title:   "실습 네트워크 {1}로 가는 경로가 {3} ({2})에 잡혀 있습니다",
			meaning: "VPN이나 다른 경로가 머신으로 갈 패킷을 가져갈 수 있습니다.",
			fix:     "lab.yaml의 `network:`를 바꾸거나, 실습하는 동안 VPN을 끊으세요.",
		},
		"address-taken": {
			title:   "{1} 주소에서 이미 응답이 있습니다",
			meaning: "같은 네트워크를 쓰는 다른 실습이 실행 중이거나, 그 주소를 쓰는 컴퓨터가 있습니다.",
			fix:     "다른 실습을 멈추거나(그 폴더에서 podium halt) lab.yaml의 `network:`를 바꾸세요.",
		},
		"port-taken": {
			title:   "{2}에 쓰던 포트 {1}을(를) 다른 프로그램이 쓰고 있습니다",
			meaning: "podium up이 알아서 다른 포트를 고릅니다.",
			fix:     "할 일은 없습니다.",
		},
		"memory": {
			title:   "실습에 메모리 {1}이(가) 필요한데 이 컴퓨터에는 {2}뿐입니다",
			meaning: "컴퓨터가 스와핑으로 멈춘 것처럼 됩니다. 실습 말고도 시스템에 2 GiB가 필요합니다.",
			fix:     "더 작은 실습을 쓰거나, 노드 수나 노드의 `memory:`를 줄이세요.",
		},
		"memory-free": {
			title:   "실습에 메모리 {1}이(가) 필요한데 {2}만 비어 있습니다",
			meaning: "실습하는 동안 컴퓨터가 느려집니다.",
			fix:     "브라우저와 다른 프로그램을 닫거나 노드의 `memory:`를 줄이세요.",
		},
		"processors": {
			title:   "{1}은(는) 프로세서 {2}개를 원하지만 이 컴퓨터에는 {3}개가 있습니다",
			meaning: "VirtualBox가 경고하고 머신이 느려집니다.",
			fix:     "`cpus: {3}` 이하로 쓰세요.",
		},
		"disk": {
			title:   "{2}에 디스크가 {1} 비어 있고, 실습은 {3}쯤 씁니다",
			meaning: "디스크가 늘어나지 못하면 머신이 작업 도중에 멈춥니다.",
			fix:     "공간을 비우거나 VirtualBox 폴더를 옮기세요: VBoxManage setproperty machinefolder 폴더",
		},
		"box-download": {
			title:   "박스 {1}을(를) 다운로드합니다",
			meaning: "수백 MB이며 이 컴퓨터에서 한 번만 합니다.",
			fix:     "교실에서는 파일을 나누어 주고: vagrant box add {1} 파일",
		},
		"box-unreachable": {
			title:   "박스 {1}이(가) 없고 다운로드할 수도 없습니다: {2}",
			meaning: "박스 없이는 머신을 만들 수 없습니다.",
			fix:     "네트워크와 프록시(HTTPS_PROXY)를 확인하거나, 동료에게 박스 파일을 받으세요: vagrant box add {1} 파일",
		},
		"non-ascii": {
			title:   "{1} 폴더 이름에 ASCII가 아닌 글자가 있습니다",
			meaning: "Vagrant와 VirtualBox는 이런 폴더에서 실패하며, 특히 Windows에서 그렇습니다.",
			fix:     "영문 폴더를 쓰세요: VAGRANT_HOME을 그런 폴더로 정하고, VBoxManage setproperty machinefolder 폴더",
			windows: "setx VAGRANT_HOME C:\\vagrant, 그리고 VBoxManage setproperty machinefolder C:\\VMs. 그런 다음 터미널을 새로 여세요.",
		},
		"long-folder": {
			title:   "실습 폴더의 경로가 {1}자입니다",
			meaning: "많은 Windows 프로그램은 경로를 259자까지만 다루며, Vagrant가 머신마다 두는 파일은 그보다 {2}자 더 깊이 있습니다.",
			fix:     "C:\\labs\\{3}처럼 경로가 짧은 폴더로 실습을 옮기세요.",
		},
		"proxy": {
			title:   "이 컴퓨터는 프록시 {1}을(를) 쓰지만 실습은 쓰지 않습니다",
			meaning: "머신들이 인터넷에 직접 접속하려고 합니다.",
			fix:     "lab.yaml에 추가하세요: proxy: {http: \"{1}\"}. 이 컴퓨터 자체의 프록시는 머신에서 10.0.2.2입니다.",
		},
		"clock": {
			title:   "이 컴퓨터의 시계가 {1} 어긋나 있습니다",
			meaning: "인증서와 패키지 목록이 너무 오래되었거나 미래의 것이라고 거부됩니다. 머신들은 이 시계를 따릅니다.",
			linux:   "sudo timedatectl set-ntp true",
			mac:     "sudo sntp -sS time.apple.com",
			windows: "관리자 권한으로 w32tm /resync",
		},
		"name-server": {
			title:   "VirtualBox {1}이(가) 머신에 127.0.0.53을 이름 서버로 줄 수 있습니다",
			meaning: "그러면 이름을 전혀 찾지 못합니다(VirtualBox 이슈 205).",
			fix:     "lab.yaml에 이름 서버를 적으세요: dns: [1.1.1.1, 8.8.8.8]",
		},
	}
}
