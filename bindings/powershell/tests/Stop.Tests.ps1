# Nothing is lost: the report, and what stops the pipeline.
BeforeAll {
    Set-StrictMode -Version Latest
    Import-Module $env:ZUS_MODULE, $PSScriptRoot/Sandbox.psm1
    $PSDefaultParameterValues = @{ '*-ZoomUser:Confirm' = $false }
    # A host that keeps what is written to it, as a person would see it.
    function Invoke-Shown([string] $Script) {
        $text = pwsh -NoProfile -NonInteractive -Command ('Set-StrictMode -Version Latest; $ProgressPreference = "SilentlyContinue"; Import-Module $env:ZUS_MODULE; ' + $Script) 2>&1
        $text | Out-String
    }
}

Describe 'the report' {
    BeforeAll { $zoom = Start-Sandbox '--users', '60'; $connection = Connect-Sandbox $zoom }
    AfterAll { Stop-Sandbox $zoom }

    It 'has a line for each user, in the form of the command line' {
        $results = @(Get-User 1 5) + 'nobody@example.com' + '' | Disable-ZoomUser -ReportPath TestDrive:/report.csv -ErrorAction SilentlyContinue
        $results.Count | Should -Be 7
        $first = Get-Content TestDrive:/report.csv -TotalCount 1
        $first | Should -Be 'user,action,code,http_status,zoom_code,message,tracking_id,attempts,delivery,status_before,status_after,role,last_login,time,account,api_url'
        $lines = Import-Csv TestDrive:/report.csv
        $lines.Count | Should -Be 7
        $lines.action | Sort-Object -Unique | Should -Be deactivate
        $lines.api_url | Sort-Object -Unique | Should -Be $zoom.ApiUrl
        @($lines | Where-Object code -EQ ZUS_OK).user | Sort-Object | Should -Be (Get-User 1 5)
        $gone = $lines | Where-Object user -EQ nobody@example.com
        $gone.code, $gone.http_status, $gone.zoom_code, $gone.delivery | Should -Be ZUS_ERR_USER_NOT_FOUND, 404, 1001, responded
        ($lines | Where-Object code -EQ SKIPPED).message | Should -BeLike '*input 7*'
    }

    It 'that exists already is not touched, and nothing is sent' {
        Set-Content TestDrive:/kept.csv kept
        { Disable-ZoomUser user00050@example.com -ReportPath TestDrive:/kept.csv } | Should -Throw '*exists*--resume*' -ErrorId 'ReportNotMade,*'
        Get-Content TestDrive:/kept.csv | Should -Be kept
        Get-SentUser $zoom | Should -Not -Contain user00050@example.com
    }

    It 'that can not be made: nothing is sent' {
        { Disable-ZoomUser user00050@example.com -ReportPath TestDrive:/no/such/folder/report.csv } | Should -Throw -ErrorId 'ReportNotMade,*'
        Push-Location Env: # or AD:, or HKLM:, where a path without a drive is no file
        try { { Disable-ZoomUser user00050@example.com -ReportPath report.csv } | Should -Throw '*report.csv*Environment*Nothing was sent*' -ErrorId 'ReportNotMade,*' }
        finally { Pop-Location }
        Get-SentUser $zoom | Should -Not -Contain user00050@example.com
    }

    It 'that can not be written any more stops the batch, and everybody has a result' -Skip:(-not (Get-Command prlimit -ErrorAction Ignore)) {
        $null = New-Item -ItemType Directory TestDrive:/full
        # A limit on the size of files, in place of a full disk.
        $text = bash -c 'trap "" XFSZ; exec pwsh -NoProfile -NonInteractive -Command "$1"' bash ('
            Import-Module $env:ZUS_MODULE
            prlimit --pid $PID --fsize=2048:2048
            Connect-ZoomUserStatus -AccessToken (ConvertTo-SecureString sandbox-token -AsPlainText -Force) -ApiUrl ' + $zoom.ApiUrl + ' -ThrottleLimit 1 -RateLimit 0
            $got = [System.Collections.ArrayList]::new()
            try { 1..60 | ForEach-Object { "user{0:d5}@example.com" -f $_ } | Disable-ZoomUser -Confirm:$false -ReportPath ' + "$TestDrive/full/report.csv" + ' | ForEach-Object { $null = $got.Add($_) } }
            catch { $_.FullyQualifiedErrorId; $_.Exception.Results.Count }
            $got.Count; @($got | Where-Object Status -eq NotSent).Count')
        $text[0] | Should -BeLike 'ReportNotWritten,*'
        $text[1], $text[2] | Should -Be 60, 60
        [int] $text[3] | Should -BeGreaterThan 30
    }

    It 'is what the command line goes on with' -Skip:(-not (Get-Command python3 -ErrorAction Ignore)) {
        $null = @(Get-User 41 43) + 'nobody@example.com' | Disable-ZoomUser -ReportPath TestDrive:/resume.csv -ErrorAction SilentlyContinue
        $before = (Get-Ledger $zoom).requests
        $env:ZOOM_API_URL, $env:ZOOM_ACCESS_TOKEN = $zoom.ApiUrl, 'sandbox-token'
        $env:PYTHONPATH, $env:ZUS_LIBRARY = (Resolve-Path $PSScriptRoot/../../python/src).Path, (Get-ChildItem $env:ZUS_MODULE/runtimes -Recurse -File).FullName
        $said = python3 -B -m zoom_user_status deactivate --yes --report $TestDrive/resume.csv --resume @(Get-User 41 45) 2>&1 | Out-String
        $env:ZOOM_API_URL = $env:ZOOM_ACCESS_TOKEN = $env:PYTHONPATH = $env:ZUS_LIBRARY = $null
        (Get-Ledger $zoom).requests - $before | Should -Be 2 -Because $said
        $lines = Import-Csv TestDrive:/resume.csv
        @($lines | Where-Object code -EQ ZUS_OK).Count | Should -Be 5 -Because $said
        $lines[0].PSObject.Properties.Name -join ',' | Should -Be (Get-Content TestDrive:/report.csv -TotalCount 1) -Because 'the command line adds no column'
    }

    It 'of a batch that was stopped: the command line sends who is not done' -Skip:(-not (Get-Command python3 -ErrorAction Ignore)) {
        try { @('nobody@example.com') + @(Get-User 51 60) | Disable-ZoomUser -MaximumFailureCount 1 -Connection (Connect-Sandbox $zoom @{ ThrottleLimit = 1 }) -ReportPath TestDrive:/stopped.csv -ErrorAction SilentlyContinue } catch { $caught = $_ }
        $caught.FullyQualifiedErrorId | Should -BeLike 'MaximumFailureCount,*'
        $env:ZOOM_API_URL, $env:ZOOM_ACCESS_TOKEN = $zoom.ApiUrl, 'sandbox-token'
        $env:PYTHONPATH, $env:ZUS_LIBRARY = (Resolve-Path $PSScriptRoot/../../python/src).Path, (Get-ChildItem $env:ZUS_MODULE/runtimes -Recurse -File).FullName
        $said = python3 -B -m zoom_user_status deactivate --yes --report $TestDrive/stopped.csv --resume nobody@example.com @(Get-User 51 60) 2>&1 | Out-String
        $env:ZOOM_API_URL = $env:ZOOM_ACCESS_TOKEN = $env:PYTHONPATH = $env:ZUS_LIBRARY = $null
        $lines = Import-Csv TestDrive:/stopped.csv
        $lines.Count | Should -Be 11 -Because $said
        @($lines | Where-Object code -EQ ZUS_OK).user | Sort-Object | Should -Be (Get-User 51 60) -Because $said
    }
}

Describe 'Select-Object -First stops softly' {
    It 'users in flight end and are reported, nobody else is sent, and the host says so' {
        $zoom = Start-Sandbox '--users', '300', '--delay', '100'
        $text = Invoke-Shown ('Connect-ZoomUserStatus -AccessToken (ConvertTo-SecureString sandbox-token -AsPlainText -Force) -ApiUrl ' + $zoom.ApiUrl + ' -RateLimit 0 -ThrottleLimit 8
            $first = 1..300 | ForEach-Object { "user{0:d5}@example.com" -f $_ } | Disable-ZoomUser -Confirm:$false -ReportPath ' + "$TestDrive/first.csv" + ' | Select-Object -First 3
            "got $($first.Count)"')
        $text | Should -Match 'got 3'
        $text -match 'Disable-ZoomUser was stopped: (\d+) done, 0 failed, 0 with unknown outcome, (\d+) not sent\. The pipeline did not take 297' | Should -BeTrue -Because $text
        $done, $notSent = [int] $Matches[1], [int] $Matches[2]
        $done + $notSent | Should -Be 300
        $done | Should -BeLessThan 60
        Start-Sleep -Milliseconds 300
        $ledger = Get-Ledger $zoom
        $ledger.requests | Should -Be $done
        $lines = Import-Csv $TestDrive/first.csv
        $lines.Count | Should -Be 300
        @($lines | Where-Object code -EQ ZUS_OK).user | Sort-Object | Should -Be ($ledger.users.PSObject.Properties.Name | Sort-Object)
        @($lines | Where-Object { $_.code -eq 'ZUS_ERR_CANCELLED' -and $_.delivery -eq 'not_sent' }).Count | Should -Be $notSent
        Stop-Sandbox $zoom
    }

    It 'an error downstream, too' {
        $zoom = Start-Sandbox '--users', '300', '--delay', '50'
        $null = Connect-Sandbox $zoom @{ ThrottleLimit = 4 }
        { Get-User 1 300 | Disable-ZoomUser -ReportPath $TestDrive/thrown.csv 6>$null 3>$null | ForEach-Object { throw 'downstream' } } | Should -Throw downstream
        @(Import-Csv $TestDrive/thrown.csv | Where-Object code -EQ ZUS_OK).Count | Should -Be (Get-Ledger $zoom).requests
        (Get-Ledger $zoom).requests | Should -BeLessThan 60
        Stop-Sandbox $zoom
    }
}

Describe 'Ctrl-C' -Skip:($IsWindows -or -not (Get-Command python3 -ErrorAction Ignore)) {
    It 'ends within 200 ms; one line and the report say what is known' {
        $took = foreach ($try in 1..5) { # other programs may hold up this machine: the best of five
            $zoom = Start-Sandbox '--users', '300', '--delay', '400'
            Set-Content $TestDrive/interrupted.ps1 ('
                Set-StrictMode -Version Latest
                $ProgressPreference = "SilentlyContinue"
                Import-Module $env:ZUS_MODULE
                Connect-ZoomUserStatus -AccessToken (ConvertTo-SecureString sandbox-token -AsPlainText -Force) -ApiUrl ' + $zoom.ApiUrl + ' -RateLimit 0 -ThrottleLimit 16
                try { 1..300 | ForEach-Object { "user{0:d5}@example.com" -f $_ } | Disable-ZoomUser -Confirm:$false -ReportPath ' + "$TestDrive/ctrlc-$try.csv" + ' | ForEach-Object { "GO" } }
                finally { [System.IO.File]::WriteAllText("' + "$TestDrive/ended" + '", [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds()) }')
            $said = python3 $PSScriptRoot/pty_run.py GO 20 0.15 pwsh -NoProfile -File $TestDrive/interrupted.ps1 | Out-String
            $said -match 'SENT (\d+)' | Should -BeTrue -Because $said
            $ms = [long] (Get-Content -Raw $TestDrive/ended) - [long] $Matches[1]
            $said -match 'Disable-ZoomUser was stopped: (\d+) done, 0 failed, (\d+) with unknown outcome, (\d+) not sent' | Should -BeTrue -Because $said
            $done, $unknown, $notSent = [int] $Matches[1], [int] $Matches[2], [int] $Matches[3]
            $done + $unknown + $notSent | Should -Be 300
            $unknown | Should -BeGreaterThan 0
            $lines = Import-Csv $TestDrive/ctrlc-$try.csv
            $lines.Count | Should -Be 300
            @($lines | Where-Object code -EQ ZUS_OK).Count | Should -Be $done
            @($lines | Where-Object { $_.code -eq 'ZUS_ERR_CANCELLED' -and $_.delivery -eq 'unknown' }).Count | Should -Be $unknown
            @($lines | Where-Object { $_.code -eq 'ZUS_ERR_CANCELLED' -and $_.delivery -eq 'not_sent' }).Count | Should -Be $notSent
            Start-Sleep -Milliseconds 600
            # Whoever was sent is done or unknown; nobody of whom it is said "not sent" was.
            $sent = (Get-Ledger $zoom).users.PSObject.Properties.Name
            @($lines | Where-Object { $_.user -in $sent -and $_.delivery -eq 'not_sent' }) | Should -BeNullOrEmpty
            Stop-Sandbox $zoom
            $ms
            if ($ms -lt 200) { break }
        }
        ($took | Measure-Object -Minimum).Minimum | Should -BeIn (0..199)
    }
}
