# One batch: what comes out of it, and what stops it.
BeforeAll {
    Set-StrictMode -Version Latest
    Import-Module $env:ZUS_MODULE, $PSScriptRoot/Sandbox.psm1
    $PSDefaultParameterValues = @{ '*-ZoomUser:Confirm' = $false; 'Set-ZoomUserStatus:Confirm' = $false }
}

Describe 'a batch' {
    AfterEach { Stop-Sandbox $zoom }

    It 'deactivates exactly the 300 users of a CSV file, at the configured rate' {
        $zoom = Start-Sandbox '--users', '400'
        $null = Connect-Sandbox $zoom @{ RateLimit = 150 }
        Get-User 1 300 | ForEach-Object { [pscustomobject]@{ Name = 'N'; Email = $_ } } | Export-Csv TestDrive:/leavers.csv
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        $results = Import-Csv TestDrive:/leavers.csv | Disable-ZoomUser
        $watch.Elapsed.TotalSeconds | Should -BeGreaterThan 1.9 # 300 at 150 a second
        $results.Count | Should -Be 300
        $results.Status | Sort-Object -Unique | Should -Be Done
        $users = (Get-Ledger $zoom).users
        @($users.PSObject.Properties).Count | Should -Be 300
        ($results.UserId | Sort-Object) | Should -Be (Get-User 1 300)
        @($users.PSObject.Properties.Value | Where-Object { $_.status -ne 'inactive' -or $_.received -ne 1 }) | Should -BeNullOrEmpty
    }

    It 'has several users in flight over few connections' {
        $zoom = Start-Sandbox '--users', '122', '--delay', '50'
        $null = Connect-Sandbox $zoom
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        (Get-User 1 122 | Disable-ZoomUser).Count | Should -Be 122
        $watch.Elapsed.TotalSeconds | Should -BeLessThan 4 # one after another: 6.1 and more
        $ledger = Get-Ledger $zoom
        $ledger.most_in_flight | Should -BeGreaterThan 4
        $ledger.connections | Should -BeLessOrEqual 18 # with those of this test's own
    }

    It 'does what each command says' {
        $zoom = Start-Sandbox '--users', '3'
        $null = Connect-Sandbox $zoom
        (Disable-ZoomUser user00001@example.com).Action | Should -Be Deactivate
        (Get-ZoomUserStatus user00001@example.com).UserStatus | Should -Be Inactive
        (Enable-ZoomUser user00001@example.com).Action | Should -Be Activate
        (Get-ZoomUserStatus user00001@example.com).UserStatus | Should -Be Active
        (Set-ZoomUserStatus user00001@example.com -Action Deactivate).Action | Should -Be Deactivate
        (Get-ZoomUserStatus user00001@example.com).UserStatus | Should -Be Inactive
        (Set-ZoomUserStatus user00001@example.com -Action ClockIn).Action | Should -Be ClockIn
    }

    It 'reads what Zoom says of a user' {
        $zoom = Start-Sandbox
        $null = Connect-Sandbox $zoom
        $users = 'ada@example.com', 'pending@example.com', 'nobody@example.com' | Get-ZoomUserStatus -ErrorAction SilentlyContinue -ErrorVariable errors
        $users.Count | Should -Be 3
        $ada = $users | Where-Object UserId -EQ ada@example.com
        $ada.Status, $ada.UserStatus, $ada.Email, $ada.RoleName | Should -Be Done, Active, ada@example.com, Member
        ($users | Where-Object UserId -EQ pending@example.com).UserStatus | Should -Be Pending
        ($users | Where-Object UserId -EQ nobody@example.com).Code | Should -Be UserNotFound
        $errors.Count | Should -Be 1
        (Get-Ledger $zoom).users.'ada@example.com'.received | Should -Be 0
    }

    It 'verifies' {
        $zoom = Start-Sandbox
        $null = Connect-Sandbox $zoom
        'pending@example.com' | Disable-ZoomUser | ForEach-Object Status | Should -Be Done # Zoom says so
        $results = 'ada@example.com', 'late@example.com', 'pending@example.com' | Disable-ZoomUser -Verify -ErrorAction SilentlyContinue
        ($results | Where-Object Status -EQ Done).UserId | Sort-Object | Should -Be 'ada@example.com', 'late@example.com'
        $pending = $results | Where-Object UserId -EQ pending@example.com
        $pending.Status, $pending.Code, $pending.UserStatus | Should -Be Failed, NotVerified, Pending
    }

    It 'retries a 429, and says so as a warning' {
        $zoom = Start-Sandbox
        $null = Connect-Sandbox $zoom
        $result = Disable-ZoomUser answer-429-then-ok-1@example.com -WarningVariable warnings -WarningAction SilentlyContinue
        $result.Status, $result.Attempts | Should -Be Done, 2
        "$warnings" | Should -Match 429
    }

    It 'an outcome that nobody knows is Unknown, and an error' {
        $zoom = Start-Sandbox
        $null = Connect-Sandbox $zoom
        $result = Disable-ZoomUser answer-503@example.com -ErrorAction SilentlyContinue -ErrorVariable errors -WarningAction SilentlyContinue
        $result.Status, $result.Code, $result.HttpStatus | Should -Be Unknown, Server, 503
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'Server,*'
    }

    It 'the commands after it in the pipeline may use the same connection' {
        $zoom = Start-Sandbox '--users', '20'
        $null = Connect-Sandbox $zoom
        $read = Get-User 1 20 | Disable-ZoomUser | ForEach-Object { Get-ZoomUserStatus $_.UserId }
        $read.UserStatus | Sort-Object -Unique | Should -Be Inactive
        $read.Count | Should -Be 20
    }
}

Describe 'errors' {
    BeforeAll {
        $zoom = Start-Sandbox '--users', '50'
        $null = Connect-Sandbox $zoom
        $users = @(Get-User 1 20) + 'nobody@example.com' + @(Get-User 21 40) + 'admin@example.com'
    }
    AfterAll { Stop-Sandbox $zoom }

    It 'of failed users come after the last result, with category, name and user' {
        $results = $users | Disable-ZoomUser -ErrorVariable errors -ErrorAction SilentlyContinue
        $results.Count | Should -Be 42
        $errors.Count | Should -Be 2
        $gone, $admin = $errors
        $gone.FullyQualifiedErrorId | Should -Be 'UserNotFound,ZoomUserStatus.PowerShell.DisableZoomUserCommand'
        $gone.CategoryInfo.Category | Should -Be ObjectNotFound
        $gone.TargetObject | Should -Be nobody@example.com
        $gone.Exception.Result.TrackingId | Should -Not -BeNullOrEmpty
        $admin.CategoryInfo.Category | Should -Be PermissionDenied
        $order = & { $users | Disable-ZoomUser 2>&1 } | ForEach-Object { $_ -is [System.Management.Automation.ErrorRecord] }
        $order | Select-Object -Last 2 | Should -Be $true, $true
        $order | Select-Object -First 42 | Sort-Object -Unique | Should -Be $false
    }

    It 'under Stop the batch is complete: by <_>' -ForEach 'parameter', 'preference' {
        $got = [System.Collections.ArrayList]::new()
        $stop = @{}
        if ($_ -eq 'parameter') { $stop.ErrorAction = 'Stop' } else { $ErrorActionPreference = 'Stop' }
        { $users | Disable-ZoomUser @stop | ForEach-Object { $null = $got.Add($_) } } | Should -Throw '*does not exist*' -ErrorId 'UserNotFound,*'
        $got.Count | Should -Be 42
        @($got | Where-Object Status -EQ Done).Count | Should -Be 40
    }

    It 'a rejected token is a terminating error that carries the batch' {
        $connection = Connect-Sandbox $zoom @{ AccessToken = ConvertTo-Secret 'expired'; ThrottleLimit = 1 }
        foreach ($action in 'Continue', 'Stop') {
            $got = [System.Collections.ArrayList]::new()
            $caught = $null
            try { $users | Disable-ZoomUser -Connection $connection -ErrorAction $action 2>$null | ForEach-Object { $null = $got.Add($_) } } catch { $caught = $_ }
            $caught.FullyQualifiedErrorId | Should -BeLike 'Unauthorized,*'
            $caught.CategoryInfo.Category | Should -Be AuthenticationError
            $caught.Exception.Results.Count | Should -Be 42
            $got.Count | Should -Be 42
            ($got | Group-Object Status -NoElement | ForEach-Object { "$($_.Name) $($_.Count)" }) | Sort-Object | Should -Be 'Failed 1', 'NotSent 41'
            $caught.TargetObject.Count | Should -Be 42
        }
        $null = Connect-Sandbox $zoom
    }

    It '-MaximumFailureCount stops the batch, and what is in flight ends' {
        $list = @('nobody@example.com', 'nobody-1@example.com') + @(Get-User 1 40)
        $connection = Connect-Sandbox $zoom @{ ThrottleLimit = 2 }
        $got = [System.Collections.ArrayList]::new()
        try { $list | Disable-ZoomUser -MaximumFailureCount 2 -ErrorAction SilentlyContinue | ForEach-Object { $null = $got.Add($_) } } catch { $caught = $_ }
        $caught.FullyQualifiedErrorId | Should -BeLike 'MaximumFailureCount,*'
        $caught.CategoryInfo.Category | Should -Be LimitsExceeded
        $got.Count | Should -Be 42
        @($got | Where-Object Status -EQ Failed).Count | Should -Be 2
        @($got | Where-Object Status -EQ NotSent).Count | Should -BeGreaterThan 30
        @($got | Where-Object Status -EQ Unknown).Count | Should -Be 0
        $null = $connection
    }
}

Describe 'a result' {
    BeforeAll {
        $zoom = Start-Sandbox
        $null = Connect-Sandbox $zoom
        $row = [pscustomobject]@{ Email = 'ada@example.com'; Password = 'hunter2' }
        $results = @($row | Disable-ZoomUser; $row | Get-ZoomUserStatus)
    }
    AfterAll { Stop-Sandbox $zoom }

    It 'has the properties that are promised, in this order' {
        $results[0].PSObject.Properties.Name | Select-Object -First 9 | Should -Be UserId, Action, Status, Code, HttpStatus, ZoomCode, Message, TrackingId, Attempts
        ($results[0] | ConvertTo-Csv | ConvertFrom-Csv).Status | Should -Be Done
        ($results[0] | ConvertTo-Json | ConvertFrom-Json).Code | Should -Be Ok
    }

    It 'has the input, which no export writes: <Name>' -ForEach @(
        @{ Name = 'CSV'; Export = { ConvertTo-Csv -InputObject $_ } }
        @{ Name = 'JSON'; Export = { ConvertTo-Json -InputObject $_ -Depth 9 } }
        @{ Name = 'XML'; Export = { ConvertTo-Xml -InputObject $_ -Depth 9 -As String } }
        @{ Name = 'CLIXML, as jobs and remoting use it'; Export = { [System.Management.Automation.PSSerializer]::Serialize($_, 9) } }
        @{ Name = 'HTML'; Export = { ConvertTo-Html -InputObject $_ } }
        @{ Name = 'Select-Object *'; Export = { $_ | Select-Object * | ConvertTo-Json -Depth 9 } }
        @{ Name = 'a list'; Export = { $_ | Format-List * -Force | Out-String } }
        @{ Name = 'a table'; Export = { $_ | Format-Table * | Out-String } }
        @{ Name = 'a custom view'; Export = { $_ | Format-Custom | Out-String } }
        @{ Name = 'a string'; Export = { "$_" } }
    ) {
        foreach ($result in $results) {
            $result.InputObject.Password | Should -Be hunter2
            $text = $result | ForEach-Object $Export | Out-String
            $text | Should -Match ada@example.com
            $text | Should -Not -Match hunter2
        }
    }

    It 'is shown as a table' {
        $results[0] | Out-String -Width 200 | Should -Match 'UserId +Action +Status +Code +Message'
    }
}

Describe 'streams' {
    BeforeAll {
        $zoom = Start-Sandbox '--users', '60', '--delay', '100'
        $null = Connect-Sandbox $zoom
    }
    AfterAll { Stop-Sandbox $zoom }

    It 'the log goes to Verbose and Debug, in the pipeline of its command, without secrets' {
        $all = & { Get-User 1 3 | Disable-ZoomUser -Verbose -Debug } *>&1
        @($all | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] }).Count | Should -BeGreaterThan 2
        @($all | Where-Object { $_ -is [System.Management.Automation.DebugRecord] }).Count | Should -BeGreaterThan 2
        "$all" | Should -Not -Match 'sandbox-token'
        @(& { Get-User 1 3 | Disable-ZoomUser } *>&1).Count | Should -Be 3
    }

    It 'progress has rate and time left, at most five times a second, and ends' {
        $shell = [powershell]::Create([System.Management.Automation.RunspaceMode]::NewRunspace)
        $null = $shell.AddScript('
            param($module, $sandbox, $url, $users)
            Import-Module $module
            $token = ConvertTo-SecureString sandbox-token -AsPlainText -Force
            Connect-ZoomUserStatus -AccessToken $token -ApiUrl $url -RateLimit 0 -ThrottleLimit 4
            $users | Disable-ZoomUser -Confirm:$false').AddArgument($env:ZUS_MODULE).AddArgument($null).AddArgument($zoom.ApiUrl).AddArgument(@(Get-User 1 60))
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        $shell.Invoke().Count | Should -Be 60
        $records = $shell.Streams.Progress
        $shown = @($records | Where-Object RecordType -EQ Processing)
        $shown.Count | Should -BeGreaterThan 2
        $shown.Count | Should -BeLessOrEqual ([Math]::Ceiling($watch.Elapsed.TotalSeconds * 5) + 1)
        $shown[-1].StatusDescription | Should -Match '^\d+ of 60, [\d.]+ a second'
        $shown[-1].SecondsRemaining | Should -BeGreaterOrEqual 0
        $records[-1].RecordType | Should -Be Completed
        $shell.Dispose()
    }
}
