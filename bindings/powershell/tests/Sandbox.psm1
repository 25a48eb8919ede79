# A Zoom on loopback: the project's sandbox program. It ends when its standard input closes: with this process at the latest.
function Start-Sandbox {
    param([string[]] $Options = @())
    $start = [System.Diagnostics.ProcessStartInfo]::new($env:ZUS_SANDBOX)
    foreach ($option in @('--quiet', '--until-stdin-closes') + $Options) { $start.ArgumentList.Add($option) }
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $true
    $process = [System.Diagnostics.Process]::Start($start)
    $sandbox = [pscustomobject]@{ Process = $process; Variables = @{}; ApiUrl = ''; OAuthUrl = '' }
    while (($line = $process.StandardOutput.ReadLine()) -ne 'ready') {
        if ($null -eq $line) { throw 'the sandbox ended before it was ready' }
        $name, $value = $line -split '=', 2
        $sandbox.Variables[$name] = $value
    }
    $sandbox.ApiUrl = $sandbox.Variables.ZOOM_API_URL
    $sandbox.OAuthUrl = $sandbox.Variables.ZOOM_OAUTH_URL
    $sandbox
}

function Stop-Sandbox($Sandbox) {
    $Sandbox.Process.StandardInput.Close()
    $Sandbox.Process.WaitForExit()
}

function Get-Ledger($Sandbox) {
    Invoke-RestMethod ($Sandbox.ApiUrl -replace '/v2$', '/sandbox/ledger') -NoProxy -SkipCertificateCheck
}

# The users for whom anything was sent.
function Get-SentUser($Sandbox) { @((Get-Ledger $Sandbox).users.PSObject.Properties.Name) }

function ConvertTo-Secret([string] $Text) { ConvertTo-SecureString $Text -AsPlainText -Force }

# A connection for it, with the static token, which is this runspace's from now on. Without a rate limit, to be quick.
function Connect-Sandbox($Sandbox, [hashtable] $With = @{}) {
    $settings = @{ ApiUrl = $Sandbox.ApiUrl; OAuthUrl = $Sandbox.OAuthUrl; RateLimit = 0 }
    $With.Keys | ForEach-Object { $settings[$_] = $With[$_] }
    if (-not ($settings.AccessToken -or $settings.AccountId)) { $settings.AccessToken = ConvertTo-Secret 'sandbox-token' }
    Connect-ZoomUserStatus @settings -PassThru
}

function Get-User([int] $From, [int] $To) { $From..$To | ForEach-Object { 'user{0:d5}@example.com' -f $_ } }
