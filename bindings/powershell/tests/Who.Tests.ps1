# Who is chosen: a wrong person must never be touched, and nobody by a guess.
BeforeAll {
    Set-StrictMode -Version Latest
    Import-Module $env:ZUS_MODULE, $PSScriptRoot/Sandbox.psm1
    $PSDefaultParameterValues = @{ '*-ZoomUser:Confirm' = $false; 'Set-ZoomUserStatus:Confirm' = $false }
}
Describe 'who is chosen' {
    BeforeEach {
        $zoom = Start-Sandbox '--users', '300'
        $null = Connect-Sandbox $zoom
    }
    AfterEach {
        Disconnect-ZoomUserStatus
        Stop-Sandbox $zoom
    }

    Context 'what names a user' {
        It 'a string, by position and from the pipeline' {
            (Disable-ZoomUser user00001@example.com).Status | Should -Be Done
            ('user00002@example.com', 'user00003@example.com' | Disable-ZoomUser).Status | Should -Be Done, Done
            Get-SentUser $zoom | Should -Be (Get-User 1 3)
        }

        It 'a line of Get-Content, which PowerShell has given properties' {
            Set-Content TestDrive:/users.txt 'user00001@example.com', ' user00002@example.com '
            (Get-Content TestDrive:/users.txt | Disable-ZoomUser).UserId | Sort-Object | Should -Be (Get-User 1 2)
            Get-SentUser $zoom | Should -Be (Get-User 1 2)
        }

        It 'the property <_>' -ForEach 'UserId', 'Email', 'EmailAddress', 'Mail', 'PrimaryEmail', 'PrimarySmtpAddress', 'UserPrincipalName', 'Login',
        'e-mail', 'E-Mail Address', 'PRIMARY EMAIL', 'user id', 'User principal name' {
            $result = [pscustomobject]@{ Name = 'Ada'; Id = 'user00009@example.com'; $_ = 'user00001@example.com' } | Disable-ZoomUser
            $result.Status | Should -Be Done
            Get-SentUser $zoom | Should -Be 'user00001@example.com'
        }

        It 'the first filled one' {
            [pscustomobject]@{ Login = 'user00009@example.com'; UserPrincipalName = 'user00001@example.com'; Mail = ''; Email = ' '; EmailAddress = $null } | Disable-ZoomUser
            Get-SentUser $zoom | Should -Be 'user00001@example.com'
        }

        It 'a hashtable, a data row, and the result of a command' {
            @{ Email = 'user00001@example.com'; Name = 'Ada' } | Disable-ZoomUser
            $table = [System.Data.DataTable]::new()
            'Id', 'Mail', 'UserPrincipalName' | ForEach-Object { $null = $table.Columns.Add($_) }
            $null = $table.Rows.Add('7', [DBNull]::Value, 'user00002@example.com')
            $table.Rows | Disable-ZoomUser
            Get-ZoomUserStatus user00003@example.com | Disable-ZoomUser
            Get-SentUser $zoom | Should -Be (Get-User 1 3)
        }

        It 'a property with one value in a list, and an object that is its own text' {
            [pscustomobject]@{ Mail = @('user00001@example.com') } | Disable-ZoomUser
            [pscustomobject]@{ PrimarySmtpAddress = [mailaddress] 'user00002@example.com' } | Disable-ZoomUser
            Get-SentUser $zoom | Should -Be (Get-User 1 2)
        }

        It 'an object or an array behind -UserId and -InputObject, as in the pipeline' {
            $rows = [pscustomobject]@{ Email = 'user00001@example.com' }, [pscustomobject]@{ Email = 'user00002@example.com' }
            (Disable-ZoomUser $rows).Count | Should -Be 2
            (Disable-ZoomUser -InputObject $rows).Count | Should -Be 2
            Get-SentUser $zoom | Should -Be (Get-User 1 2)
        }

        It '-Property, and it alone' {
            $row = [pscustomobject]@{ Email = 'user00009@example.com'; 'Work mail' = 'user00001@example.com' }
            ($row | Disable-ZoomUser -Property 'work mail').Status | Should -Be Done
            $row.'Work mail' = ''
            ($row | Disable-ZoomUser -Property 'Work mail' -ErrorAction SilentlyContinue).Status | Should -Be Failed
            Get-SentUser $zoom | Should -Be 'user00001@example.com'
        }

        It 'the export of Entra: the mail address first, the sign-in name where there is none, never the id' {
            $results = Import-Csv $PSScriptRoot/files/entra.csv | Disable-ZoomUser
            $results.Status | Should -Be Done, Done
            Get-SentUser $zoom | Should -Be 'user00002@example.com', 'user00003@example.com'
        }

        It 'the export of Okta' {
            $results = Import-Csv $PSScriptRoot/files/okta.csv | Disable-ZoomUser
            $results.Status | Should -Be Done, Done
            Get-SentUser $zoom | Should -Be 'user00005@example.com', 'user00006@example.com'
        }
    }

    Context 'what names nobody ends the command before anything is sent' {
        It '<Name>' -ForEach @(
            @{ Name = 'a row without a known column'; Row = [pscustomobject]@{ Name = 'Ada'; Dept = 'HR' }; Says = '*Name, Dept*-Property*' }
            @{ Name = 'a row with only an Id'; Row = [pscustomobject]@{ Id = 'user00009@example.com'; DisplayName = 'Ada' }; Says = '*Id, DisplayName*' }
            @{ Name = 'semicolons'; Row = [pscustomobject]@{ 'name;email' = 'Ada;user00009@example.com' }; Says = "*name;email*-Delimiter ';'*" }
            @{ Name = 'tabs'; Row = [pscustomobject]@{ "name`temail" = "Ada`tuser00009@example.com" }; Says = '*-Delimiter "*t"*' }
            @{ Name = 'a number'; Row = 4711; Says = '*Int32*A user is a string, or an object with such a property.' }
            @{ Name = 'a file'; Row = Get-Item $PSCommandPath; Says = '*FileInfo*' }
            @{ Name = 'a hashtable without'; Row = @{ Name = 'Ada' }; Says = '*Name*' }
        ) {
            $good = [pscustomobject]@{ Email = 'user00001@example.com' }
            { $good, $Row, $good | Disable-ZoomUser } | Should -Throw $Says -ErrorId 'NoUserProperty,*'
            { Disable-ZoomUser -UserId $Row } | Should -Throw $Says
            Get-SentUser $zoom | Should -BeNullOrEmpty
        }

        It '-Property that an object does not have' {
            { [pscustomobject]@{ Email = 'user00001@example.com' } | Disable-ZoomUser -Property Mail } | Should -Throw '*has no property Mail*Email*'
            Get-SentUser $zoom | Should -BeNullOrEmpty
        }

        It 'shows no value of the row in its error' {
            $error.Clear()
            try { [pscustomobject]@{ Name = 'Ada'; Password = 'hunter2' } | Disable-ZoomUser } catch { $caught = $_ }
            "$caught $($caught.CategoryInfo) $($caught | Format-List * -Force | Out-String)" | Should -Not -Match hunter2
        }

        It 'an input that fails midway' {
            { Get-User 1 5 | ForEach-Object { if ($_ -like '*4@*') { throw 'the file is broken' }; $_ } | Disable-ZoomUser } | Should -Throw 'the file is broken'
            { Get-User 1 5 | ForEach-Object { if ($_ -like '*4@*') { Write-Error 'broken' -ErrorAction Stop }; $_ } | Disable-ZoomUser } | Should -Throw broken
            Get-SentUser $zoom | Should -BeNullOrEmpty
        }

        It 'an input that ends, and is empty' {
            @() | Disable-ZoomUser | Should -BeNullOrEmpty
            Get-SentUser $zoom | Should -BeNullOrEmpty
        }
    }

    Context 'what is refused is a failed result, and the others are sent' {
        It '<Name>' -ForEach @(
            @{ Name = 'an empty cell'; Cell = ''; Says = '*input 2*names no user*' }
            @{ Name = 'a cell of whitespace'; Cell = '  '; Says = '*names no user*' }
            @{ Name = 'null'; Cell = $null; Says = '*names no user*' }
            @{ Name = 'a question mark'; Cell = 'zo?@example.com'; Says = '*-Encoding*' }
            @{ Name = 'U+FFFD'; Cell = "zo$([char]0xFFFD)@example.com"; Says = '*-Encoding*' }
            @{ Name = 'a GUID'; Cell = '0c5c3f5e-0b0e-4b62-9b60-0b6a2d4a7a01'; Says = '*GUID*' }
            @{ Name = 'me'; Cell = 'me'; Says = '*owner of the access token*' }
            @{ Name = 'a line of a CSV file'; Cell = 'Ada,user00009@example.com'; Says = '*more than one*' }
            @{ Name = 'a name with an address'; Cell = 'Ada <user00009@example.com>'; Says = '*more than one*' }
            @{ Name = 'an invisible character'; Cell = "user00009@example.com$([char]0x200E)"; Says = '*U+200E*' }
        ) {
            $results = @('user00001@example.com', $Cell, 'user00002@example.com' | Disable-ZoomUser -ErrorAction SilentlyContinue -ErrorVariable errors)
            $results.Count | Should -Be 3
            $failed = $results | Where-Object Status -EQ Failed
            $failed.Code | Should -Be Argument
            $failed.Message | Should -BeLike $Says
            $errors.Count | Should -Be 1
            Get-SentUser $zoom | Should -Be (Get-User 1 2)
            # the same in a row, and behind -UserId
            ([pscustomobject]@{ Email = $Cell } | Disable-ZoomUser -ErrorAction SilentlyContinue).Status | Should -Be Failed
            (Disable-ZoomUser $Cell -ErrorAction SilentlyContinue).Status | Should -Be Failed
            Get-SentUser $zoom | Should -Be (Get-User 1 2)
        }

        It 'a cell that is no text: <Name>' -ForEach @(
            @{ Name = 'a number'; Value = 4711 }
            @{ Name = 'an object'; Value = [pscustomobject]@{ address = 'user00009@example.com' } }
            @{ Name = 'a table'; Value = @{ address = 'user00009@example.com' } }
            @{ Name = 'two addresses'; Value = @('user00008@example.com', 'user00009@example.com') }
        ) {
            $result = [pscustomobject]@{ Mail = $Value } | Disable-ZoomUser -ErrorAction SilentlyContinue
            $result.Status | Should -Be Failed
            $result.Message | Should -BeLike '*the property Mail holds*'
            Get-SentUser $zoom | Should -BeNullOrEmpty
        }

        It 'two spellings of one column that name different users' {
            $row = [pscustomobject]@{ Email = 'user00008@example.com'; 'E-mail' = 'user00009@example.com' }
            ($row | Disable-ZoomUser -ErrorAction SilentlyContinue).Message | Should -BeLike '*Email and E-mail name different users*-Property*'
            Get-SentUser $zoom | Should -BeNullOrEmpty
            ($row | Disable-ZoomUser -Property E-mail).Status | Should -Be Done
            Get-SentUser $zoom | Should -Be 'user00009@example.com'
        }
    }

    Context 'what asks first' {
        It '<_> -WhatIf sends nothing, makes no report, and names everybody' -ForEach 'Disable-ZoomUser', 'Enable-ZoomUser', 'Set-ZoomUserStatus' {
            $more = if ($_ -eq 'Set-ZoomUserStatus') { @{ Action = 'Deactivate' } } else { @{} }
            $said = & {
                $null = Start-Transcript TestDrive:/whatif.txt
                Get-User 1 5 | & $_ @more -WhatIf -ReportPath TestDrive:/report.csv
                $null = Stop-Transcript
            }
            $said | Should -BeNullOrEmpty
            Get-User 1 5 | ForEach-Object { (Get-Content -Raw TestDrive:/whatif.txt) | Should -Match $_ }
            Test-Path TestDrive:/report.csv | Should -BeFalse
            (Get-Ledger $zoom).requests | Should -Be 0
        }

        It 'the impact of <Name> is <Impact>' -ForEach @(
            @{ Name = 'Disable-ZoomUser'; Impact = 'High' }
            @{ Name = 'Set-ZoomUserStatus'; Impact = 'High' }
            @{ Name = 'Enable-ZoomUser'; Impact = 'Medium' }
        ) {
            (Get-Command $Name).ImplementingType.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $false).ConfirmImpact | Should -Be $Impact
        }

        It 'nobody is there to ask: nothing is sent' {
            $script = 'Import-Module $env:ZUS_MODULE; try { "user00001@example.com" | Disable-ZoomUser } catch { "refused" }'
            $env:ZOOM_API_URL, $env:ZOOM_ACCESS_TOKEN = $zoom.ApiUrl, 'sandbox-token'
            pwsh -NoProfile -NonInteractive -Command $script | Should -Be refused
            $env:ZOOM_API_URL = $env:ZOOM_ACCESS_TOKEN = $null
            (Get-Ledger $zoom).requests | Should -Be 0
        }
    }
}
