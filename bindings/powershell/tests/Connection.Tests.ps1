# Which account, by which way.
BeforeAll {
    Set-StrictMode -Version Latest
    Import-Module $env:ZUS_MODULE, $PSScriptRoot/Sandbox.psm1
    $PSDefaultParameterValues = @{ '*-ZoomUser:Confirm' = $false }
    $one = Start-Sandbox '--users', '40'
    $two = Start-Sandbox '--users', '40'
    $app = [pscredential]::new('sandbox-client', (ConvertTo-Secret 'sandbox-secret'))
    function Clear-Environment { Get-ChildItem env: | Where-Object Name -Match '^ZOOM_|_proxy$' | ForEach-Object { Remove-Item "env:$($_.Name)" } }
}
AfterAll {
    Stop-Sandbox $one
    Stop-Sandbox $two
}

Describe 'the account' {
    AfterEach {
        Disconnect-ZoomUserStatus
        Clear-Environment
    }

    It 'of a Server-to-Server OAuth app, whose token is obtained once' {
        Connect-ZoomUserStatus -AccountId sandbox-account -Credential $app -ApiUrl $one.ApiUrl -OAuthUrl $one.OAuthUrl -RateLimit 0 | Should -BeNullOrEmpty
        (Get-User 1 20 | Disable-ZoomUser).Count | Should -Be 20
        (Disable-ZoomUser user00021@example.com).Status | Should -Be Done
        (Get-Ledger $one).token_requests | Should -Be 1
    }

    It 'of an access token' {
        $connection = Connect-Sandbox $one
        (Disable-ZoomUser user00001@example.com).Status | Should -Be Done
        $connection.Credentials | Should -Be AccessToken
    }

    It 'of the environment, without Connect, also when it changes' {
        $env:ZOOM_API_URL, $env:ZOOM_ACCESS_TOKEN = $one.ApiUrl, 'sandbox-token'
        (Disable-ZoomUser user00031@example.com).Status | Should -Be Done
        $env:ZOOM_API_URL = $two.ApiUrl
        (Disable-ZoomUser user00032@example.com).Status | Should -Be Done
        (Get-Ledger $one).users.PSObject.Properties.Name | Should -Contain user00031@example.com
        (Get-Ledger $one).users.PSObject.Properties.Name | Should -Not -Contain user00032@example.com
        (Get-Ledger $two).users.PSObject.Properties.Name | Should -Contain user00032@example.com
    }

    It 'by Connect of the environment, with other settings' {
        $env:ZOOM_API_URL, $env:ZOOM_ACCESS_TOKEN = $one.ApiUrl, 'sandbox-token'
        (Connect-ZoomUserStatus -RateLimit 7 -ThrottleLimit 3 -TimeoutSec 9 -PassThru | Select-Object RateLimit, ThrottleLimit, TimeoutSec).PSObject.Properties.Value | Should -Be 7, 3, 9
    }

    It 'without credentials there is none, and the error names the variables and Connect' {
        { Disable-ZoomUser user00001@example.com } | Should -Throw '*ZOOM_ACCESS_TOKEN*Connect-ZoomUserStatus*' -ErrorId 'NotConnected,*'
    }

    It 'of a connection that was ended: an error' {
        $connection = Connect-Sandbox $one
        Disconnect-ZoomUserStatus -Connection $connection
        { Disable-ZoomUser user00001@example.com -Connection $connection -ReportPath TestDrive:/none.csv } |
            Should -Throw 'The connection was ended by Disconnect-ZoomUserStatus.' -ErrorId 'NotConnected,*'
        'TestDrive:/none.csv' | Should -Not -Exist # the next one would be told that it exists
        { Test-ZoomUserStatusConnection -Quiet -Connection $connection } | Should -Throw 'The connection was ended by Disconnect-ZoomUserStatus.' -ErrorId 'NotConnected,*'
        { Disable-ZoomUser user00001@example.com } | Should -Throw -ErrorId 'NotConnected,*'
    }

    It 'two at once, by -Connection' {
        $a = Connect-Sandbox $one
        $b = Connect-Sandbox $two
        $null = Disable-ZoomUser user00033@example.com -Connection $a
        $null = Disable-ZoomUser user00034@example.com -Connection $b
        $null = Disable-ZoomUser user00035@example.com # the last Connect
        Get-SentUser $one | Should -Contain user00033@example.com
        Get-SentUser $one | Should -Not -Contain user00034@example.com
        Get-SentUser $two | Should -Contain user00034@example.com
        Get-SentUser $two | Should -Contain user00035@example.com
    }

    It 'in ForEach-Object -Parallel: the one of -Connection, and never one by chance' {
        $a = Connect-Sandbox $one
        $b = Connect-Sandbox $two
        $done = 21..24 | ForEach-Object -Parallel {
            Import-Module $env:ZUS_MODULE
            $connection = if ($_ % 2) { $using:a } else { $using:b }
            (Disable-ZoomUser "user000$_@example.com" -Connection $connection -Confirm:$false).Status
        }
        $done | Should -Be Done, Done, Done, Done
        21, 23 | ForEach-Object { Get-SentUser $one | Should -Contain "user000$_@example.com" }
        22, 24 | ForEach-Object { Get-SentUser $two | Should -Contain "user000$_@example.com" }
        # Another account is in the environment: a runspace without a connection must not meet it.
        $env:ZOOM_API_URL, $env:ZOOM_ACCESS_TOKEN = $one.ApiUrl, 'sandbox-token'
        $said = 1 | ForEach-Object -Parallel {
            Import-Module $env:ZUS_MODULE
            try { Disable-ZoomUser user00040@example.com -Confirm:$false } catch { "$_" }
        }
        $said | Should -BeLike '*-Connection $using:connection*'
        Get-SentUser $one | Should -Not -Contain user00040@example.com
    }

    It 'shows no secret: <Name>' -ForEach @(
        @{ Name = 'OAuth'; How = { Connect-ZoomUserStatus -AccountId sandbox-account -Credential $app -ApiUrl $one.ApiUrl -OAuthUrl $one.OAuthUrl -Proxy http://proxy.example -ProxyCredential ([pscredential]::new('u', (ConvertTo-Secret hunter2))) -PassThru } }
        @{ Name = 'token'; How = { Connect-Sandbox $one } }
    ) {
        $connection = & $How
        $text = ($connection | Format-List * -Force | Out-String), ($connection | ConvertTo-Json -Depth 5), "$connection",
            [System.Management.Automation.PSSerializer]::Serialize($connection, 5), ($connection | Format-Custom | Out-String) -join "`n"
        $text | Should -Match $one.ApiUrl
        $text | Should -Not -Match 'sandbox-secret|sandbox-token|hunter2'
    }

    It 'leaves no secret in a transcript' {
        $env:APP_SECRET, $env:ROW_PASSWORD = 'sandbox-secret', 'hunter2' # not in the command, with which a transcript begins
        $said = pwsh -NoProfile -NonInteractive -Command ('
            $null = Start-Transcript ' + "$TestDrive/transcript.txt" + '
            Import-Module $env:ZUS_MODULE
            $app = [pscredential]::new("sandbox-client", (ConvertTo-SecureString $env:APP_SECRET -AsPlainText -Force))
            Connect-ZoomUserStatus -AccountId sandbox-account -Credential $app -PassThru -ApiUrl ' + $one.ApiUrl + ' -OAuthUrl ' + $one.OAuthUrl + '
            "Email,Password", "user00001@example.com,$env:ROW_PASSWORD", "nobody@example.com,$env:ROW_PASSWORD" | ConvertFrom-Csv | Disable-ZoomUser -Confirm:$false -Verbose -Debug
            Test-ZoomUserStatusConnection
            $error | Format-List * -Force') 2>&1 | Out-String
        $env:APP_SECRET = $env:ROW_PASSWORD = $null
        $transcript = Get-Content -Raw $TestDrive/transcript.txt
        'VERBOSE: ', 'DEBUG: ', 'UserNotFound', 'UpdateScope', 'obtained from' | ForEach-Object { $transcript | Should -Match $_ -Because $said }
        $transcript + $said | Should -Not -Match 'sandbox-secret|hunter2|Bearer|eyJ'
    }

    It 'refuses <Name>, and says which' -ForEach @(
        @{ Name = 'http:// to a host'; With = @{ ApiUrl = 'http://api.example.com/v2' }; Says = '*ApiUrl*' }
        @{ Name = 'an -ApiUrl without https://'; With = @{ ApiUrl = 'api.zoom.us/v2' }; Says = '-ApiUrl*https://*api.zoom.us/v2*' }
        @{ Name = 'an -OAuthUrl without https://'; With = @{ OAuthUrl = 'zoom.us/oauth/token' }; Says = '-OAuthUrl*https://*' }
        @{ Name = 'a -Proxy that is none'; With = @{ Proxy = 'a proxy' }; Says = '-Proxy is not a URL.' }
        @{ Name = 'a file without certificates'; With = @{ CaFile = $PSCommandPath }; Says = '*CaPem*' }
        @{ Name = 'a file that is not there'; With = @{ CaFile = '/nowhere.pem' }; Says = '*nowhere.pem*' }
        @{ Name = 'a path that is no file'; With = @{ CaFile = 'Env:/ca.pem' }; Says = '*Env:/ca.pem*Environment*' }
        @{ Name = 'credentials for no proxy'; With = @{ ProxyCredential = [pscredential]::new('u', (ConvertTo-SecureString p -AsPlainText -Force)) }; Says = '*-Proxy*' }
    ) {
        { Connect-ZoomUserStatus -AccessToken (ConvertTo-Secret hunter2) @With } | Should -Throw $Says -ErrorId 'NotConnected,*'
    }
}

Describe 'the proxy and TLS' -Skip:(-not (Get-Command openssl -ErrorAction Ignore)) {
    BeforeAll {
        $folder = (New-Item -ItemType Directory (Join-Path $TestDrive tls)).FullName
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout $folder/ca.key -out $folder/ca.pem -subj /CN=Company -addext basicConstraints=critical,CA:TRUE 2>$null
        openssl req -newkey rsa:2048 -nodes -keyout $folder/key.pem -out $folder/cert.csr -subj /CN=localhost 2>$null
        Set-Content $folder/extensions "subjectAltName=DNS:localhost,IP:127.0.0.1`nbasicConstraints=CA:FALSE"
        openssl x509 -req -in $folder/cert.csr -CA $folder/ca.pem -CAkey $folder/ca.key -CAcreateserial -days 2 -extfile $folder/extensions -out $folder/cert.pem 2>$null
        $zoom = Start-Sandbox '--tls', "$folder/cert.pem", "$folder/key.pem", '--users', '9'
        # A proxy that refuses everything, and says so.
        $proxy = [System.Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
        $proxy.Start()
        $proxyUrl = "http://127.0.0.1:$($proxy.LocalEndpoint.Port)"
        $serving = Start-ThreadJob {
            while ($true) {
                $client = ($using:proxy).AcceptTcpClient()
                $stream = $client.GetStream()
                $buffer = [byte[]]::new(4096)
                $text = [System.Text.Encoding]::ASCII.GetString($buffer, 0, $stream.Read($buffer, 0, 4096))
                $text
                $response = [System.Text.Encoding]::ASCII.GetBytes("HTTP/1.1 403 Forbidden by the test`r`nContent-Length: 0`r`n`r`n")
                $stream.Write($response, 0, $response.Length)
                $client.Close()
            }
        }
        function Connect-Tls([hashtable] $With = @{}) { Connect-Sandbox $zoom (@{ CaFile = "$folder/ca.pem" } + $With) }
    }
    AfterEach {
        Disconnect-ZoomUserStatus
        Clear-Environment
    }
    AfterAll {
        $proxy.Stop()
        $serving | Stop-Job -PassThru | Remove-Job -Force
        Stop-Sandbox $zoom
    }

    It 'no proxy, and the CA certificate of -CaFile' {
        $null = Connect-Tls
        (Disable-ZoomUser user00001@example.com).Status | Should -Be Done
        Test-ZoomUserStatusConnection -Quiet | Should -BeTrue
    }

    It 'without -CaFile the certificate is not trusted' {
        $null = Connect-Sandbox $zoom
        (Disable-ZoomUser user00001@example.com -ErrorAction SilentlyContinue).Code | Should -Be Tls
        $step = Test-ZoomUserStatusConnection | Where-Object Status -EQ Failed
        $step.Step | Should -Be TLS
        $step.Message | Should -BeLike '*issued by CN=Company*'
        $step.Advice | Should -BeLike '*-CaFile*'
    }

    It 'the one of $env:<_>, set in this session' -ForEach 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY' {
        Set-Item "env:$_" $proxyUrl
        $connection = Connect-Tls
        "$($connection.Proxy)" | Should -BeLike "$proxyUrl*"
        $result = Disable-ZoomUser user00002@example.com -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
        $result.Code | Should -Be Proxy
        $result.Message | Should -BeLike '*403*'
        (Test-ZoomUserStatusConnection | Where-Object Status -EQ Failed).Step | Should -Be Tunnel
        $env:NO_PROXY = 'example.com,localhost,127.0.0.1'
        $null = Connect-Tls
        (Disable-ZoomUser user00002@example.com).Status | Should -Be Done
        $env:NO_PROXY = '*'
        (Connect-Tls).Proxy | Should -BeNullOrEmpty
    }

    It 'without a port it is at 80, as for Invoke-RestMethod' {
        $env:HTTPS_PROXY = 'http://127.0.0.1'
        "$((Connect-Tls @{ TimeoutSec = 2 }).Proxy.OriginalString)" | Should -Be 'http://127.0.0.1:80'
        (Disable-ZoomUser user00002@example.com -ErrorAction SilentlyContinue -WarningAction SilentlyContinue).Message | Should -Match '\b80\b'
    }

    It '-Proxy without http://, as in the environment' {
        "$((Connect-Tls @{ Proxy = 'proxy.example:8080' }).Proxy.OriginalString)" | Should -Be 'http://proxy.example:8080'
    }

    It 'also without Connect' {
        $env:HTTPS_PROXY, $env:ZOOM_API_URL, $env:ZOOM_ACCESS_TOKEN = $proxyUrl, $zoom.ApiUrl, 'sandbox-token'
        (Disable-ZoomUser user00002@example.com -ErrorAction SilentlyContinue -WarningAction SilentlyContinue).Code | Should -Be Proxy
    }

    It '-Proxy with -ProxyCredential counts more' {
        $env:HTTPS_PROXY = 'http://127.0.0.1:1'
        $null = Connect-Tls @{ Proxy = $proxyUrl; ProxyCredential = [pscredential]::new('ada lovelace', (ConvertTo-Secret 'p:w@d/')) }
        (Disable-ZoomUser user00002@example.com -ErrorAction SilentlyContinue -WarningAction SilentlyContinue).Code | Should -Be Proxy
        $login = [Convert]::ToBase64String([System.Text.Encoding]::ASCII.GetBytes('ada lovelace:p:w@d/'))
        $until = (Get-Date).AddSeconds(20)
        while ((Get-Date) -lt $until -and (Receive-Job $serving -Keep) -join '' -notmatch [regex]::Escape($login)) { Start-Sleep -Milliseconds 100 }
        (Receive-Job $serving -Keep) -join '' | Should -Match ([regex]::Escape($login))
    }
}

Describe 'Test-ZoomUserStatusConnection' {
    AfterEach { Disconnect-ZoomUserStatus }

    It 'walks the whole way, and touches nobody' {
        $zoom = Start-Sandbox
        Connect-ZoomUserStatus -AccountId sandbox-account -Credential $app -ApiUrl $zoom.ApiUrl -OAuthUrl $zoom.OAuthUrl
        $steps = Test-ZoomUserStatusConnection
        $steps.Step | Should -Be Proxy, Host, Connection, TLS, Clock, Token, Account, UpdateScope, ReadScope
        $steps.Status | Sort-Object -Unique | Should -Be Ok
        Test-ZoomUserStatusConnection -Quiet | Should -BeExactly $true
        (Get-Ledger $zoom).requests | Should -Be 0
        Stop-Sandbox $zoom
    }

    It 'says where it ends: <Name>' -ForEach @(
        @{ Name = 'nobody listens'; With = @{ ApiUrl = 'http://127.0.0.1:1/v2' }; Step = 'Connection' }
        @{ Name = 'no such host'; With = @{ ApiUrl = 'https://nowhere.invalid/v2' }; Step = 'Host' }
        @{ Name = 'a wrong secret'; With = @{ Credential = [pscredential]::new('sandbox-client', (ConvertTo-SecureString wrong -AsPlainText -Force)) }; Step = 'Token' }
    ) {
        $settings = @{ AccountId = 'sandbox-account'; Credential = $app; ApiUrl = $one.ApiUrl; OAuthUrl = $one.OAuthUrl }
        $With.Keys | ForEach-Object { $settings[$_] = $With[$_] }
        Connect-ZoomUserStatus @settings
        (Test-ZoomUserStatusConnection | Where-Object Status -EQ Failed).Step | Should -Contain $Step
        Test-ZoomUserStatusConnection -Quiet | Should -BeExactly $false
    }

    It 'misses the scope' {
        $zoom = Start-Sandbox '--scopes', 'user:read:user:admin'
        Connect-ZoomUserStatus -AccountId sandbox-account -Credential $app -ApiUrl $zoom.ApiUrl -OAuthUrl $zoom.OAuthUrl
        (Test-ZoomUserStatusConnection | Where-Object Status -EQ Failed).Step | Should -Be UpdateScope
        Stop-Sandbox $zoom
    }
}
